/*
 * encodings.cc - how each column of a row group is encoded, by what is in it
 *
 * A sample of its rows is encoded and compressed in each way (trial.cc), once
 * half of it and once all: the difference says how bytes grow with the rows,
 * the rest is what each page begins with.  So it is zstd that judges runs,
 * bytes that come again, planes of bytes.  A second, larger sample is tried
 * only of the columns, and in the ways, about which the first leaves doubts.
 *
 * A dictionary grows otherwise: if half of the rows have d values and all of
 * them D, so many rows have values as a power of their number (Heaps' law).
 * Where it would become larger than 1 MiB Arrow goes on plainly.
 *
 * Properties belong to the file, but Arrow looks at encodings only where a row
 * group begins, so they are changed between two of them.
 */
#include "io/parquet/encodings.h"

#include <arrow/type.h>
#include <parquet/exception.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace rpt {

namespace {

constexpr int N_WAYS = 3;
constexpr Way WAYS[N_WAYS] = { Way::SPLIT, Way::DICTIONARY, Way::PLAIN };
constexpr int64_t PAGE_ROWS = 1 << 20;
constexpr double CAUTION = 1.1; /* what is estimated of a dictionary is vague */
constexpr double ALMOST_ALL = 0.9;
constexpr double SMALL = 16;   /* times smaller than the values */
constexpr double VAGUE = 2000; /* bytes that an estimate may be wrong by */
constexpr int64_t BATCH_ROWS = 16384;   /* through an encoder at once */
constexpr int64_t PAGE_BYTES = 1 << 20; /* also of a dictionary */

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
    explicit Column(const arrow::DataType &type)
        : bytes(type.byte_width()), is_real(rpt::is_real(type)), trial(type)
    {
    }

    int at = 0; /* in the table */
    int bytes;  /* of a value */
    bool is_real;
    Trial trial;
    Size tried[N_WAYS][2];
    bool is_out[N_WAYS] = {}; /* so large that it is not tried again */
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
    if (zstd_level_ > 0) {
        PARQUET_ASSIGN_OR_THROW(
            codec_,
            arrow::util::Codec::Create(arrow::Compression::ZSTD, zstd_level_));
    }
    properties_ = make_properties(ways_);
}

Encodings::~Encodings() = default;

/* Arrow looks at how large a page has become after so many rows; of what may be
 * wide these are to be few. */
int64_t Encodings::batch_rows() const
{
    for (const auto &field : schema_->fields()) {
        if (!has_choice(*field->type())) {
            return parquet::DEFAULT_WRITE_BATCH_SIZE;
        }
    }
    return BATCH_ROWS;
}

/* Other readers take BYTE_STREAM_SPLIT of floating-point numbers only. */
std::shared_ptr<parquet::WriterProperties>
Encodings::make_properties(const std::vector<Way> &ways) const
{
    parquet::WriterProperties::Builder builder;

    builder.version(parquet::ParquetVersion::PARQUET_2_6);
    builder.max_row_group_length(group_rows_);
    builder.data_pagesize(PAGE_BYTES);
    builder.dictionary_pagesize_limit(PAGE_BYTES);
    builder.write_batch_size(batch_rows());
    let_pages_be_long(builder);
    if (has_checksums_) {
        builder.enable_page_checksum();
    }
    if (zstd_level_ > 0) {
        builder.compression(parquet::Compression::ZSTD);
        builder.compression_level(zstd_level_);
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

void Encodings::start_trials()
{
    is_tried_ = true;
    for (int i = 0; i < schema_->num_fields(); i++) {
        const auto &type = *schema_->field(i)->type();

        if (has_choice(type) && !is_index_[size_t(i)]) {
            columns_.emplace_back(type).at = i;
        }
    }
}

void Encodings::look(const arrow::RecordBatch &rows, bool is_half)
{
    if (!is_tried_) {
        start_trials();
    }
    for (Column &column : columns_) {
        column.trial.add(*rows.column_data(column.at), is_half);
    }
}

void Encodings::begin_group()
{
    is_tried_ = false;
    columns_.clear();
}

arrow::Status Encodings::weigh(Column &column)
{
    for (const Way way : WAYS) {
        Size *tried = column.tried[int(way)];
        bool &is_out = column.is_out[int(way)];

        if (is_out) {
            continue;
        }
        ARROW_ASSIGN_OR_RAISE(tried[0],
                              column.trial.measure(way, true, codec_.get()));
        /* A dictionary of values that do not come again is these, and more. */
        is_out = tried[0].entries > ALMOST_ALL * tried[0].n_values;
        if (!is_out) {
            ARROW_ASSIGN_OR_RAISE(
                tried[1], column.trial.measure(way, false, codec_.get()));
        }
    }
    column.trial = Trial(*schema_->field(column.at)->type());
    return arrow::Status::OK();
}

/* Bytes of so many rows: each page begins with something that does not grow
 * with the rows, the rest does. */
double Encodings::with_pages(const Column &column, Way way, double n_rows)
{
    const Size *tried = column.tried[int(way)];
    const double half = tried[0].n_values, all = tried[1].n_values;
    const double slope = all > half
                             ? std::max(0.0, (tried[1].data - tried[0].data) /
                                                 (all - half))
                             : 0;
    const double first = std::clamp(tried[1].data - slope * all, 0.0,
                                    tried[1].data);
    const double page = way == Way::PLAIN ||
                                (way == Way::SPLIT && column.is_real)
                            ? double(PAGE_BYTES / column.bytes)
                            : double(PAGE_ROWS);

    return std::max(1.0, n_rows / page) * first + slope * n_rows;
}

/* The same with a dictionary; where it becomes too large the rest is plain. */
double Encodings::with_dictionary(const Column &column, double n_rows)
{
    const Size *tried = column.tried[int(Way::DICTIONARY)];
    const double half = tried[0].n_values, all = tried[1].n_values;
    const double n = tried[1].entries;
    const double exponent = all > half
                                ? std::clamp(std::log(n / tried[0].entries) /
                                                 std::log(all / half),
                                             0.0, 1.0)
                                : 1;
    const double grown = n * std::pow(n_rows / all, exponent);
    const double most = std::max(double(PAGE_BYTES / column.bytes), n);
    const double indices = with_pages(column, Way::DICTIONARY, n_rows) *
                           std::log2(1 + std::min(grown, most)) /
                           std::log2(1 + n);

    if (grown <= most) {
        return tried[1].dictionary * grown / n + indices;
    }
    const double share = std::pow(most / grown, 1 / exponent);

    return tried[1].dictionary * most / n + indices * share +
           with_pages(column, Way::PLAIN, n_rows) * (1 - share);
}

/* Whether it is sure: where much is left, much was seen; where little is left,
 * the second best is to be far behind. */
bool Encodings::choose_way(Column &column, double n_rows)
{
    std::vector<std::pair<double, Way>> found;

    for (const Way way : WAYS) {
        if (!column.is_out[int(way)]) {
            found.emplace_back(way == Way::DICTIONARY
                                   ? with_dictionary(column, n_rows) * CAUTION
                                   : with_pages(column, way, n_rows),
                               way);
        }
    }
    std::sort(found.begin(), found.end());
    ways_[size_t(column.at)] = found[0].second;
    if (found[0].first * SMALL > n_rows * column.bytes) {
        return true;
    }
    while (found.size() > 1 &&
           found.back().first + VAGUE > 4 * (found[0].first + VAGUE)) {
        column.is_out[int(found.back().second)] = true;
        found.pop_back();
    }
    return found.size() == 1;
}

arrow::Status Encodings::choose(int64_t n_rows, bool *is_sure_out)
{
    std::vector<Column> doubtful;

    for (Column &column : columns_) {
        ARROW_RETURN_NOT_OK(weigh(column));
        if (!choose_way(column, double(n_rows))) {
            doubtful.push_back(std::move(column));
        }
    }
    columns_ = std::move(doubtful);
    *is_sure_out = columns_.empty();
    *properties_ = *make_properties(ways_);
    return arrow::Status::OK();
}

} /* namespace rpt */
