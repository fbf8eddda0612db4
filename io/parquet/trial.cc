/*
 * trial.cc - how large some values of a column become in each way
 *
 * They go through the encoder and the compression that a page of them would go
 * through, without the file around it: that would cost more than the values
 * where these are few.  What it adds to a page is a constant.
 */
#include "io/parquet/trial.h"

#include <arrow/buffer.h>
#include <arrow/type_traits.h>
#include <parquet/encoding.h>
#include <parquet/types.h>

#include <memory>

namespace rpt {

namespace {

constexpr double PAGE_HEAD = 30; /* bytes; those with statistics have more */

arrow::Result<double> compressed(const uint8_t *data, int64_t bytes,
                                 arrow::util::Codec *codec)
{
    if (codec == nullptr) {
        return PAGE_HEAD + double(bytes);
    }
    std::vector<uint8_t> room(size_t(codec->MaxCompressedLen(bytes, data)));

    ARROW_ASSIGN_OR_RAISE(
        const int64_t n,
        codec->Compress(bytes, data, int64_t(room.size()), room.data()));
    return PAGE_HEAD + double(n);
}

template <typename DType> arrow::Result<Size>
flush(parquet::TypedEncoder<DType> &encoder, arrow::util::Codec *codec)
{
    Size size;
    auto *with = dynamic_cast<parquet::DictEncoder<DType> *>(&encoder);

    if (with != nullptr) {
        std::vector<uint8_t> entries(size_t(with->dict_encoded_size()));

        with->WriteDict(entries.data());
        size.entries = double(with->num_entries());
        ARROW_ASSIGN_OR_RAISE(
            size.dictionary,
            compressed(entries.data(), int64_t(entries.size()), codec));
    }
    const auto data = encoder.FlushValues();

    ARROW_ASSIGN_OR_RAISE(size.data,
                          compressed(data->data(), data->size(), codec));
    return size;
}

} /* namespace */

bool is_real(const arrow::DataType &type)
{
    return type.id() == arrow::Type::FLOAT || type.id() == arrow::Type::DOUBLE;
}

bool has_choice(const arrow::DataType &type)
{
    return is_real(type) || arrow::is_integer(type.id()) ||
           type.id() == arrow::Type::TIMESTAMP;
}

template <typename From, typename To>
void Trial::widen(const arrow::ArrayData &piece)
{
    const From *from = piece.GetValues<From>(1);

    if constexpr (sizeof(From) == sizeof(To)) {
        const auto *bytes = reinterpret_cast<const uint8_t *>(from);

        values_.insert(values_.end(), bytes,
                       bytes + size_t(piece.length) * sizeof(To));
    } else {
        for (int64_t i = 0; i < piece.length; i++) {
            const To value = from[i];
            const auto *bytes = reinterpret_cast<const uint8_t *>(&value);

            values_.insert(values_.end(), bytes, bytes + sizeof value);
        }
    }
}

void Trial::add(const arrow::ArrayData &piece, bool is_half)
{
    switch (type_) {
    case arrow::Type::INT8:
        widen<int8_t, int32_t>(piece);
        break;
    case arrow::Type::UINT8:
        widen<uint8_t, int32_t>(piece);
        break;
    case arrow::Type::INT16:
        widen<int16_t, int32_t>(piece);
        break;
    case arrow::Type::UINT16:
        widen<uint16_t, int32_t>(piece);
        break;
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
    case arrow::Type::FLOAT:
        widen<int32_t, int32_t>(piece);
        break;
    default:
        widen<int64_t, int64_t>(piece);
    }
    half_bytes_ = is_half ? values_.size() : half_bytes_;
}

template <typename DType> arrow::Result<Size>
Trial::measure_as(Way way, bool is_half, arrow::util::Codec *codec) const
{
    using Value = typename DType::c_type;
    const size_t bytes = is_half ? half_bytes_ : values_.size();
    const size_t n = bytes / sizeof(Value);
    Size size;

    if (way == Way::PLAIN) {
        ARROW_ASSIGN_OR_RAISE(
            size.data, compressed(values_.data(), int64_t(bytes), codec));
    } else {
        const auto encoder = parquet::MakeTypedEncoder<DType>(
            way == Way::DICTIONARY ? parquet::Encoding::PLAIN
            : is_real_             ? parquet::Encoding::BYTE_STREAM_SPLIT
                                   : parquet::Encoding::DELTA_BINARY_PACKED,
            way == Way::DICTIONARY);

        encoder->Put(reinterpret_cast<const Value *>(values_.data()), int(n));
        ARROW_ASSIGN_OR_RAISE(size, flush<DType>(*encoder, codec));
    }
    size.n_values = double(n);
    return size;
}

arrow::Result<Size> Trial::measure(Way way, bool is_half,
                                   arrow::util::Codec *codec) const
{
    switch (type_) {
    case arrow::Type::FLOAT:
        return measure_as<parquet::FloatType>(way, is_half, codec);
    case arrow::Type::DOUBLE:
        return measure_as<parquet::DoubleType>(way, is_half, codec);
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
    case arrow::Type::TIMESTAMP:
        return measure_as<parquet::Int64Type>(way, is_half, codec);
    default:
        return measure_as<parquet::Int32Type>(way, is_half, codec);
    }
}

} /* namespace rpt */
