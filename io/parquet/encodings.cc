/*
 * encodings.cc - how each column of a row group is encoded, by what is in it
 *
 * A sample of its rows is written in each way to a file that is only counted,
 * with the same compression, once half of it and once all: the difference says
 * how bytes grow with the rows, the rest is what each page begins with.  So it
 * is zstd that judges runs, bytes that come again, planes of bytes.  It costs
 * as much as four to five times the rows of the sample.
 *
 * A dictionary grows otherwise: if half of the rows have d values and all of
 * them D, so many rows have values as a power of their number (Heaps' law).
 * Where it would become larger than 1 MiB Arrow goes on plainly.
 *
 * Properties belong to the file, but Arrow looks at encodings only where a row
 * group begins, so they are changed between two of them.
 */
#include "io/parquet/encodings.h"

#include <arrow/array/data.h>
#include <arrow/io/memory.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace rpt {

namespace {

constexpr int N_WAYS = 3;
constexpr Way WAYS[N_WAYS] = { Way::SPLIT, Way::DICTIONARY, Way::PLAIN };
constexpr int64_t PAGE_ROWS = 1 << 20;
constexpr double CAUTION = 1.1; /* what is estimated of a dictionary is vague */
constexpr double SMALL = 16;    /* times smaller than the values */
constexpr double VAGUE = 2000;  /* bytes that an estimate may be wrong by */
constexpr int64_t PAGE_BYTES = 1 << 20; /* also of a dictionary */

/* About how many different values there are: linear counting (Whang and
 * others, ACM Transactions on Database Systems 15, 1990). */
class Distinct {
  public:
    void add(const uint8_t *values, int64_t n, int bytes)
    {
        for (int64_t i = 0; i < n; i++) {
            uint64_t value = 0;

            std::memcpy(&value, values + i * bytes, static_cast<size_t>(bytes));
            value = (value ^ value >> 31) * 0x9e3779b97f4a7c15;
            value = (value ^ value >> 29) * 0xbf58476d1ce4e5b9;
            value >>= 64 - LOG_BITS;
            bits_[value / 64] |= uint64_t{ 1 } << value % 64;
        }
    }

    double count() const
    {
        constexpr double all = 1 << LOG_BITS;
        double zeros = all;

        for (const uint64_t word : bits_) {
            zeros -= std::popcount(word);
        }
        return std::max(1.0, -all * std::log(std::max(zeros, 1.0) / all));
    }

  private:
    static constexpr int LOG_BITS = 17;
    std::vector<uint64_t> bits_ = std::vector<uint64_t>(1 << (LOG_BITS - 6));
};

bool is_real(const arrow::DataType &type)
{
    return type.id() == arrow::Type::FLOAT || type.id() == arrow::Type::DOUBLE;
}

bool has_choice(const arrow::DataType &type)
{
    return is_real(type) || arrow::is_integer(type.id()) ||
           type.id() == arrow::Type::TIMESTAMP;
}

/* Arrow ends a page at 1 MiB; those of today also after 20000 rows, which makes
 * a page of a few bytes where values repeat. */
template <typename Builder> void let_pages_be_long(Builder &builder)
{
    if constexpr (requires { builder.max_rows_per_page(PAGE_ROWS); }) {
        builder.max_rows_per_page(PAGE_ROWS);
    }
}

} /* namespace */

/* What the trials say of a column: of half of the rows, and of all. */
struct Encodings::Column {
    int at = 0;    /* in the table */
    int bytes = 0; /* of a value */
    bool is_real = false;
    Distinct distinct;
    double counts[2] = {};        /* of those */
    double tried[N_WAYS][2] = {}; /* bytes */
    double dictionary[2] = {};    /* bytes; not in `tried` */
};

Encodings::Encodings(const rpt_parquet_plan &plan,
                     std::shared_ptr<arrow::Schema> schema)
    : schema_(std::move(schema)), zstd_level_(plan.zstd_level),
      group_rows_(plan.group_rows), has_checksums_(plan.has_checksums)
{
    for (int i = 0; i < schema_->num_fields(); i++) {
        const auto &field = schema_->field(i);

        is_index_.push_back(plan.is_index[i]);
        ways_.push_back(has_choice(*field->type()) ? Way::SPLIT
                                                   : Way::DICTIONARY);
    }
    properties_ = make_properties(ways_, false);
}

Encodings::~Encodings() = default;

/* Other readers take BYTE_STREAM_SPLIT of floating-point numbers only. */
std::shared_ptr<parquet::WriterProperties>
Encodings::make_properties(const std::vector<Way> &ways, bool is_trial) const
{
    parquet::WriterProperties::Builder builder;

    builder.version(parquet::ParquetVersion::PARQUET_2_6);
    builder.max_row_group_length(group_rows_);
    builder.data_pagesize(PAGE_BYTES);
    builder.dictionary_pagesize_limit(PAGE_BYTES);
    let_pages_be_long(builder);
    if (has_checksums_) {
        builder.enable_page_checksum();
    }
    if (zstd_level_ > 0) {
        builder.compression(parquet::Compression::ZSTD);
        builder.compression_level(zstd_level_);
    }
    if (is_trial) {
        builder.disable_statistics();
    }
    for (size_t i = 0; i < ways.size(); i++) {
        const arrow::Field &field = *schema_->field(static_cast<int>(i));

        /* A dictionary and statistics would copy the bytes several times. */
        if (field.type()->id() == arrow::Type::LARGE_BINARY) {
            builder.disable_dictionary(field.name());
            builder.disable_statistics(field.name());
            continue;
        }
        if (ways[i] == Way::DICTIONARY) {
            continue;
        }
        builder.disable_dictionary(field.name());
        builder.encoding(field.name(),
                         ways[i] == Way::PLAIN ? parquet::Encoding::PLAIN
                         : is_real(*field.type())
                             ? parquet::Encoding::BYTE_STREAM_SPLIT
                             : parquet::Encoding::DELTA_BINARY_PACKED);
    }
    return builder.build();
}

/* ---- what the rows say ---- */

arrow::Status Encodings::start_trials()
{
    arrow::FieldVector fields;

    columns_.clear();
    for (int i = 0; i < schema_->num_fields(); i++) {
        const auto &field = schema_->field(i);

        if (has_choice(*field->type()) && !is_index_[size_t(i)]) {
            Column &column = columns_.emplace_back();

            column.at = i;
            column.bytes = field->type()->byte_width();
            column.is_real = is_real(*field->type());
            fields.push_back(field);
        }
    }
    rows_[0] = rows_[1] = 0;
    for (const Way way : WAYS) {
        const std::vector<Way> ways(ways_.size(), way);

        if (columns_.empty()) {
            break;
        }
        ARROW_ASSIGN_OR_RAISE(
            auto trial, parquet::arrow::FileWriter::Open(
                            arrow::Schema(fields), arrow::default_memory_pool(),
                            std::make_shared<arrow::io::MockOutputStream>(),
                            make_properties(ways, true)));
        trials_.push_back(std::move(trial));
    }
    return arrow::Status::OK();
}

arrow::Status Encodings::start_groups()
{
    for (const auto &trial : trials_) {
        ARROW_RETURN_NOT_OK(trial->NewBufferedRowGroup());
    }
    return arrow::Status::OK();
}

arrow::Status Encodings::look(const arrow::RecordBatch &rows, bool is_half)
{
    std::vector<int> at;
    double &n_rows = rows_[is_half ? 0 : 1];

    if (trials_.empty()) {
        ARROW_RETURN_NOT_OK(start_trials());
    }
    if (columns_.empty()) {
        return arrow::Status::OK();
    }
    if (n_rows == 0) {
        ARROW_RETURN_NOT_OK(start_groups());
    }
    n_rows += double(rows.num_rows());
    for (Column &column : columns_) {
        const auto &data = *rows.column_data(column.at);

        column.distinct.add(data.buffers[1]->data() +
                                data.offset * column.bytes,
                            data.length, column.bytes);
        column.counts[is_half ? 0 : 1] = column.distinct.count();
        at.push_back(column.at);
    }
    ARROW_ASSIGN_OR_RAISE(auto some, rows.SelectColumns(at));
    for (const auto &trial : trials_) {
        ARROW_RETURN_NOT_OK(trial->WriteRecordBatch(*some));
    }
    return arrow::Status::OK();
}

/* What the trials have written of a column. */
void Encodings::weigh(size_t i)
{
    Column &column = columns_[i];

    for (const Way way : WAYS) {
        const auto meta = trials_[size_t(way)]->metadata();

        for (int g = 0; g < 2; g++) {
            const auto chunk = meta->RowGroup(g)->ColumnChunk(int(i));
            double &bytes = column.tried[int(way)][g];

            bytes = double(chunk->total_compressed_size());
            if (way == Way::DICTIONARY && chunk->has_dictionary_page()) {
                column.dictionary[g] = double(chunk->data_page_offset() -
                                              chunk->dictionary_page_offset());
                bytes -= column.dictionary[g];
            }
        }
    }
}

/* Bytes of so many rows: each page begins with something that does not grow
 * with the rows, the rest does. */
double Encodings::with_pages(const Column &column, Way way, double n_rows) const
{
    const double *bytes = column.tried[int(way)];
    const double slope = rows_[1] > rows_[0]
                             ? std::max(0.0, (bytes[1] - bytes[0]) /
                                                 (rows_[1] - rows_[0]))
                             : 0;
    const double first = std::clamp(bytes[1] - slope * rows_[1], 0.0, bytes[1]);
    const double page = way == Way::PLAIN ||
                                (way == Way::SPLIT && column.is_real)
                            ? double(PAGE_BYTES / column.bytes)
                            : double(PAGE_ROWS);

    return std::max(1.0, n_rows / page) * first + slope * n_rows;
}

/* The same with a dictionary; where it becomes too large the rest is plain. */
double Encodings::with_dictionary(const Column &column, double n_rows) const
{
    const double n = column.counts[1];
    const double exponent = rows_[1] > rows_[0]
                                ? std::clamp(std::log(n / column.counts[0]) /
                                                 std::log(rows_[1] / rows_[0]),
                                             0.0, 1.0)
                                : 1;
    const double grown = n * std::pow(n_rows / rows_[1], exponent);
    const double most = std::max(double(PAGE_BYTES / column.bytes), n);
    const double indices = with_pages(column, Way::DICTIONARY, n_rows) *
                           std::log2(1 + std::min(grown, most)) /
                           std::log2(1 + n);

    if (grown <= most) {
        return column.dictionary[1] * grown / n + indices;
    }
    const double share = std::pow(most / grown, 1 / exponent);

    return column.dictionary[1] * most / n + indices * share +
           with_pages(column, Way::PLAIN, n_rows) * (1 - share);
}

/* Whether it is sure: where much is left, much was seen; where little is left,
 * the second best is to be far behind. */
bool Encodings::choose_way(const Column &column, double n_rows)
{
    std::pair<double, Way> found[N_WAYS] = {
        { with_pages(column, Way::SPLIT, n_rows), Way::SPLIT },
        { with_dictionary(column, n_rows) * CAUTION, Way::DICTIONARY },
        { with_pages(column, Way::PLAIN, n_rows), Way::PLAIN }
    };

    std::sort(std::begin(found), std::end(found));
    ways_[size_t(column.at)] = found[0].second;
    return found[0].first * SMALL > n_rows * column.bytes ||
           found[1].first + VAGUE > 4 * (found[0].first + VAGUE);
}

arrow::Status Encodings::choose(int64_t n_rows, bool *is_sure_out)
{
    *is_sure_out = true;
    for (const auto &trial : trials_) {
        ARROW_RETURN_NOT_OK(trial->Close());
    }
    for (size_t i = 0; i < columns_.size(); i++) {
        weigh(i);
        if (!choose_way(columns_[i], double(n_rows))) {
            *is_sure_out = false;
        }
    }
    trials_.clear();
    *properties_ = *make_properties(ways_, false);
    return arrow::Status::OK();
}

} /* namespace rpt */
