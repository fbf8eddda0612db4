/*
 * encodings.h - how each column of a row group is encoded, by what is in it
 *
 * Of librepartir-parquet: in C++, over Arrow.
 */
#ifndef RPT_IO_PARQUET_ENCODINGS_H
#define RPT_IO_PARQUET_ENCODINGS_H

#include "io/parquet/ops.h"
#include "io/parquet/trial.h"

#include <arrow/record_batch.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace rpt {

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

    /* Some rows of the row group that is next: half of a sample, then the other
     * half. */
    void look(const arrow::RecordBatch &rows, bool is_half);

    /* What was looked at since the last time says how that row group, of about
     * so many rows, will be encoded.  Not sure: the sample says little, and a
     * larger one would cost little. */
    arrow::Status choose(int64_t n_rows, bool *is_sure_out);

    /* It is next no more. */
    void begin_group();

  private:
    struct Column;

    int64_t batch_rows() const;
    std::shared_ptr<parquet::WriterProperties>
    make_properties(const std::vector<Way> &ways) const;
    void start_trials();
    arrow::Status weigh(Column &column);
    static double with_pages(const Column &column, Way way, double n_rows);
    static double with_dictionary(const Column &column, double n_rows);
    bool choose_way(Column &column, double n_rows);

    std::shared_ptr<arrow::Schema> schema_;
    int zstd_level_;
    int64_t group_rows_;
    bool has_checksums_;
    std::vector<bool> is_index_; /* of all columns of the table */
    std::vector<Way> ways_;
    std::shared_ptr<parquet::WriterProperties> properties_;

    std::unique_ptr<arrow::util::Codec> codec_; /* NULL: none */
    bool is_tried_ = false;
    std::vector<Column> columns_; /* those whose choice is open */
};

} /* namespace rpt */

#endif /* RPT_IO_PARQUET_ENCODINGS_H */
