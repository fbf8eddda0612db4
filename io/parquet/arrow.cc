/*
 * arrow.cc - librepartir-parquet: Arrow's writer of Parquet files
 *
 * With encodings.cc the only C++ of the library, and the only user of Arrow.
 * No exception leaves it: each function of the table turns what happens into a
 * status and a text.  Nothing here knows a file, or decides what is written but
 * for the encodings.
 */
#include "io/parquet/arrow_abi.h"
#include "io/parquet/encodings.h"
#include "io/parquet/ops.h"

#include <arrow/c/bridge.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <utility>

namespace {

thread_local char last_why[1024];

const char *why()
{
    return last_why;
}

rpt_status_t fail(rpt_status_t status, const char *text)
{
    std::snprintf(last_why, sizeof last_why, "%s", text);
    return status;
}

rpt_status_t fail(const arrow::Status &status)
{
    return fail(status.IsOutOfMemory()      ? RPT_ERR_NOMEM
                : status.IsIOError()        ? RPT_ERR_IO
                : status.IsNotImplemented() ? RPT_ERR_UNSUPPORTED
                : status.IsCapacityError()  ? RPT_ERR_OVERFLOW
                                            : RPT_ERR_INTERNAL,
                status.message().c_str());
}

/* What a function does, without its exceptions. */
template <typename Fn> rpt_status_t guarded(Fn fn) noexcept
{
    try {
        const arrow::Status status = fn();

        return status.ok() ? RPT_OK : fail(status);
    } catch (const std::bad_alloc &) {
        return fail(RPT_ERR_NOMEM, "out of memory");
    } catch (const std::exception &error) {
        return fail(RPT_ERR_INTERNAL, error.what());
    } catch (...) {
        return fail(RPT_ERR_INTERNAL, "an exception of no known kind");
    }
}

/* A file, as Arrow writes to it.  Arrow wants to know how far it is. */
class Sink : public arrow::io::OutputStream {
  public:
    explicit Sink(const rpt_parquet_plan &plan)
        : write_(plan.write), user_(plan.user)
    {
        set_mode(arrow::io::FileMode::WRITE);
    }
    ~Sink() override = default;

    arrow::Status Write(const void *data, int64_t bytes) override
    {
        if (!dropped_ && !write_(user_, data, static_cast<size_t>(bytes))) {
            dropped_ = true;
            return arrow::Status::IOError("the file cannot be written");
        }
        at_ += bytes;
        return arrow::Status::OK();
    }
    using arrow::io::OutputStream::Write;

    arrow::Status Close() override
    {
        closed_ = true;
        return arrow::Status::OK();
    }
    arrow::Result<int64_t> Tell() const override { return at_; }
    bool closed() const override { return closed_; }

    /* What is written from now on goes nowhere: Arrow's writer ends with a
     * footer, also where it is destroyed. */
    void drop() { dropped_ = true; }

  private:
    bool (*write_)(void *user, const void *data, size_t bytes);
    void *user_;
    int64_t at_ = 0;
    bool dropped_ = false;
    bool closed_ = false;
};

struct Writer {
    std::shared_ptr<arrow::Schema> schema;
    std::unique_ptr<rpt::Encodings> encodings;
    std::shared_ptr<Sink> sink;
    std::unique_ptr<parquet::arrow::FileWriter> file;
};

rpt_status_t open_writer(const rpt_parquet_plan *plan, void **writer_out)
{
    return guarded([&]() -> arrow::Status {
        auto writer = std::make_unique<Writer>();

        ARROW_ASSIGN_OR_RAISE(writer->schema,
                              arrow::ImportSchema(plan->schema));
        writer->encodings = std::make_unique<rpt::Encodings>(*plan,
                                                             writer->schema);
        writer->sink = std::make_shared<Sink>(*plan);
        ARROW_ASSIGN_OR_RAISE(writer->file,
                              parquet::arrow::FileWriter::Open(
                                  *writer->schema, arrow::default_memory_pool(),
                                  writer->sink, writer->encodings->properties(),
                                  parquet::ArrowWriterProperties::Builder()
                                      .store_schema()
                                      ->build()));
        *writer_out = writer.release();
        return arrow::Status::OK();
    });
}

rpt_status_t sample(void *user, ArrowArray *rows, bool is_half)
{
    auto *writer = static_cast<Writer *>(user);

    return guarded([&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(auto batch,
                              arrow::ImportRecordBatch(rows, writer->schema));
        writer->encodings->look(*batch, is_half);
        return arrow::Status::OK();
    });
}

rpt_status_t choose(void *user, int64_t n_rows, bool *is_sure_out)
{
    auto *writer = static_cast<Writer *>(user);

    return guarded([&]() -> arrow::Status {
        return writer->encodings->choose(n_rows, is_sure_out);
    });
}

rpt_status_t append(void *user, ArrowArray *rows, bool starts_group)
{
    auto *writer = static_cast<Writer *>(user);

    return guarded([&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(auto batch,
                              arrow::ImportRecordBatch(rows, writer->schema));
        if (starts_group) {
            writer->encodings->begin_group();
            ARROW_RETURN_NOT_OK(writer->file->NewBufferedRowGroup());
        }
        return writer->file->WriteRecordBatch(*batch);
    });
}

rpt_status_t group(void *user)
{
    auto *writer = static_cast<Writer *>(user);

    return guarded([&]() -> arrow::Status {
        writer->encodings->begin_group();
        return writer->file->NewRowGroup();
    });
}

rpt_status_t column(void *user, int i, ArrowArray *values)
{
    auto *writer = static_cast<Writer *>(user);

    return guarded([&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(
            auto array,
            arrow::ImportArray(values, writer->schema->field(i)->type()));
        return writer->file->WriteColumnChunk(*array);
    });
}

void drop(void *user)
{
    auto *writer = static_cast<Writer *>(user);

    writer->sink->drop();
    guarded([&]() -> arrow::Status {
        delete writer;
        return arrow::Status::OK();
    });
}

rpt_status_t close_writer(void *user)
{
    auto *writer = static_cast<Writer *>(user);
    const rpt_status_t status = guarded(
        [&]() -> arrow::Status { return writer->file->Close(); });

    drop(writer);
    return status;
}

const rpt_parquet_ops ops = { sizeof ops, RPT_PARQUET_INTERFACE,
                              why,        open_writer,
                              sample,     choose,
                              append,     group,
                              column,     close_writer,
                              drop };

} /* namespace */

extern "C" RPT_API const rpt_parquet_ops *rpt_parquet_library()
{
    return &ops;
}
