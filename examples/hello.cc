/*
 * hello.cc - the same from C++: text in, text out
 *
 *   c++ hello.cc $(pkg-config --cflags --libs repartir) -o hello
 *   ./hello world everybody
 *
 * The headers are C; owners are made from std::unique_ptr, and a task is a
 * function without state.  An exception must not leave it.
 */
#include <repartir.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct destroy {
    void operator()(rpt_pool_t *pool) const { rpt_pool_destroy(pool); }
    void operator()(rpt_task_t *task) const { rpt_task_destroy(task); }
    void operator()(rpt_future_t *future) const { rpt_future_destroy(future); }
};
template <typename T> using owner = std::unique_ptr<T, destroy>;

struct failure : std::runtime_error {
    explicit failure(rpt_status_t why)
        : std::runtime_error(rpt_last_error_text()), status(why)
    {
    }
    rpt_status_t status;
};

void check(rpt_status_t status)
{
    if (status < 0) {
        throw failure(status);
    }
}

int greet(rpt_call_t *call, void *)
{
    size_t bytes;
    const void *input = rpt_call_input(call, &bytes);
    std::string text =
        "hello, " + std::string(static_cast<const char *>(input), bytes);

    return rpt_call_set_output(call, text.data(), text.size());
}

void drive(rpt_pool_t *pool, const std::vector<std::string> &names)
{
    std::vector<owner<rpt_future_t>> futures;
    rpt_task_t *made;

    check(rpt_task_create(&made));
    owner<rpt_task_t> task(made);
    for (const std::string &name : names) {
        rpt_future_t *future;

        check(rpt_task_set_function(task.get(), "greet", name.data(),
                                    name.size()));
        check(rpt_pool_submit(pool, task.get(), &future));
        futures.emplace_back(future);
    }
    for (const owner<rpt_future_t> &future : futures) {
        const rpt_result_t *result;

        check(rpt_future_wait(future.get(), -1));
        check(rpt_future_result(future.get(), &result));
        std::cout << std::string(static_cast<const char *>(result->output),
                                 result->output_bytes)
                  << '\n';
    }
}

void run(rpt_context_t *context, const std::vector<std::string> &names)
{
    rpt_pool_t *made;

    check(rpt_pool_create(context, nullptr, &made));
    owner<rpt_pool_t> pool(made);
    check(rpt_pool_register(pool.get(), "greet", greet, nullptr));
    if (rpt_context_rank(context) == 0) {
        drive(pool.get(), names);
        check(rpt_pool_shutdown(pool.get(), RPT_SHUTDOWN_GRACEFUL, 0, nullptr));
    } else {
        check(rpt_pool_serve(pool.get()));
    }
}

rpt_status_t rank_main(rpt_context_t *context, void *user)
{
    try {
        run(context, *static_cast<const std::vector<std::string> *>(user));
        return RPT_OK;
    } catch (const failure &error) {
        return error.status; /* its text becomes main's last error */
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return RPT_ERR_INTERNAL;
    }
}

} // namespace

int main(int argc, char *argv[])
{
    std::vector<std::string> names(argv + 1, argv + argc);

    if (names.empty()) {
        names.push_back("world");
    }
    try {
        check(rpt_local_run(2, nullptr, rank_main, &names));
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
