/*
 * trial.h - how large some values of a column become in each way
 *
 * Of librepartir-parquet: in C++, over Arrow.
 */
#ifndef RPT_IO_PARQUET_TRIAL_H
#define RPT_IO_PARQUET_TRIAL_H

#include <arrow/array/data.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>

#include <cstdint>
#include <vector>

namespace rpt {

/* How the values of a column are encoded. */
enum class Way {
    SPLIT,      /* BYTE_STREAM_SPLIT of reals, DELTA_BINARY_PACKED of others */
    DICTIONARY, /* while it has 1 MiB at most, then plain */
    PLAIN
};

bool is_real(const arrow::DataType &type);

/* Whether there is more than one way for values of this type that is worth a
 * trial. */
bool has_choice(const arrow::DataType &type);

struct Size {
    double n_values = 0;
    double data = 0;       /* bytes in pages of values */
    double dictionary = 0; /* bytes; not in `data` */
    double entries = 0;    /* of the dictionary: different values */
};

/* Values of one column: half of a sample, then the other half. */
class Trial {
  public:
    explicit Trial(const arrow::DataType &type)
        : type_(type.id()), is_real_(is_real(type))
    {
    }

    void add(const arrow::ArrayData &piece, bool is_half);

    /* Of the first half, or of all. */
    arrow::Result<Size> measure(Way way, bool is_half,
                                arrow::util::Codec *codec) const;

  private:
    template <typename From, typename To>
    void widen(const arrow::ArrayData &piece);
    template <typename DType> arrow::Result<Size>
    measure_as(Way way, bool is_half, arrow::util::Codec *codec) const;

    arrow::Type::type type_;
    bool is_real_;
    std::vector<uint8_t> values_; /* as Parquet has them: of 4 or 8 bytes */
    size_t half_bytes_ = 0;
};

} /* namespace rpt */

#endif /* RPT_IO_PARQUET_TRIAL_H */
