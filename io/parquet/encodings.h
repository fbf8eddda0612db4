/*
 * encodings.h - how each column of a row group is encoded, by what is in it
 *
 * Of librepartir-parquet: in C++, over Arrow.
 */
#ifndef RPT_IO_PARQUET_ENCODINGS_H
#define RPT_IO_PARQUET_ENCODINGS_H

#include "io/parquet/ops.h"

#include <arrow/record_batch.h>
#include <parquet/arrow/writer.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace rpt {

/* How the values of a column are encoded. */
enum class Way {
    SPLIT,      /* BYTE_STREAM_SPLIT of reals, DELTA_BINARY_PACKED of others */
    DICTIONARY, /* while it has 1 MiB at most, then plain */
    PLAIN
};

class Encodings {
  public:
    Encodings(const rpt_parquet_plan &plan,
              std::shared_ptr<arrow::Schema> schema);
    ~Encodings();

    /* Of the file.  Arrow looks at them where a row group begins. */
    const std::shared_ptr<parquet::WriterProperties> &properties() const
    {
        return properties_;
    }

    /* Some rows of the row group that is next: half of a sample, then all. */
    arrow::Status look(const arrow::RecordBatch &rows, bool is_half);

    /* What was looked at since the last time says how that row group, of about
     * so many rows, will be encoded.  Not sure: the sample says little, and a
     * larger one would cost little. */
    arrow::Status choose(int64_t n_rows, bool *is_sure_out);

  private:
    struct Column;

    std::shared_ptr<parquet::WriterProperties>
    make_properties(const std::vector<Way> &ways, bool is_trial) const;
    arrow::Status start_trials();
    arrow::Status start_groups();
    void weigh(size_t i);
    double with_pages(const Column &column, Way way, double n_rows) const;
    double with_dictionary(const Column &column, double n_rows) const;
    bool choose_way(const Column &column, double n_rows);

    std::shared_ptr<arrow::Schema> schema_;
    int zstd_level_;
    int64_t group_rows_;
    bool has_checksums_;
    std::vector<bool> is_index_; /* of all columns of the table */
    std::vector<Way> ways_;
    std::shared_ptr<parquet::WriterProperties> properties_;

    std::vector<Column> columns_; /* those that have a choice */
    std::vector<std::unique_ptr<parquet::arrow::FileWriter>> trials_;
    double rows_[2] = {}; /* in their two row groups: half, all */
};

} /* namespace rpt */

#endif /* RPT_IO_PARQUET_ENCODINGS_H */
