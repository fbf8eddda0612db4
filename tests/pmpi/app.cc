/*
 * app.cc - a C++ program that knows MPI only; run by others_under_mpirun
 *
 * The memory is that of containers and objects, handlers of errors throw, and
 * what is destroyed last is MPI.  Every result is compared with what is
 * computed here.
 */
#include <mpi.h>

#include <complex>
#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <vector>

static int failed, rank, size;

static void check(bool ok, const char *what)
{
    if (!ok) {
        failed++;
        std::printf("rank %d: %s\n", rank, what);
    }
}

/* MPI_Init and MPI_Finalize. */
struct Mpi {
    Mpi(int &argc, char **&argv)
    {
        MPI_Init(&argc, &argv);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        MPI_Comm_size(MPI_COMM_WORLD, &size);
    }
    ~Mpi() { MPI_Finalize(); }
};

template <typename T> static void sums(MPI_Datatype type, int n)
{
    std::vector<T> in(n), out(n, T(-1));
    const int all = size * (size - 1) / 2;

    for (int i = 0; i < n; i++) {
        in[i] = T(rank + i);
    }
    MPI_Allreduce(in.data(), out.data(), n, type, MPI_SUM, MPI_COMM_WORLD);
    for (int i = 0; i < n; i++) {
        check(out[i] == T(all + size * i), "allreduce");
    }
    MPI_Allreduce(MPI_IN_PLACE, in.data(), n, type, MPI_SUM, MPI_COMM_WORLD);
    check(in == out, "allreduce in place");
}

/* Rank r has r + 1 elements. */
static void blocks()
{
    std::vector<int> counts(size), places(size), in(rank + 1, rank);

    std::iota(counts.begin(), counts.end(), 1);
    for (int r = 1; r < size; r++) {
        places[r] = places[r - 1] + counts[r - 1];
    }
    std::vector<int> out(size * (size + 1) / 2, -1);
    MPI_Allgatherv(in.data(), rank + 1, MPI_INT, out.data(), counts.data(),
                   places.data(), MPI_INT, MPI_COMM_WORLD);
    for (int r = 0; r < size; r++) {
        for (int i = 0; i <= r; i++) {
            check(out[places[r] + i] == r, "allgatherv");
        }
    }
}

static void objects()
{
    struct Point {
        double x, y;
        char name[5];
    } point = {};

    if (rank == size - 1) {
        point = Point{ 1.5, -2, "last" };
    }
    MPI_Bcast(&point, sizeof point, MPI_BYTE, size - 1, MPI_COMM_WORLD);
    check(point.x == 1.5 && point.y == -2 && point.name[3] == 't', "bcast");
}

static void started()
{
    std::vector<double> in(1000, rank), out(1000);
    MPI_Request request;

    MPI_Iallreduce(in.data(), out.data(), 1000, MPI_DOUBLE, MPI_MAX,
                   MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    check(out == std::vector<double>(1000, size - 1), "iallreduce");
}

/* The MPI's word, which passes through: these types are of C++ alone. */
static void types_of_cxx()
{
    std::complex<double> in(rank, 1), out;
    bool one = rank == 0, any = false;

    MPI_Allreduce(&in, &out, 1, MPI_CXX_DOUBLE_COMPLEX, MPI_SUM,
                  MPI_COMM_WORLD);
    check(out == std::complex<double>(size * (size - 1) / 2, size), "complex");
    MPI_Allreduce(&one, &any, 1, MPI_CXX_BOOL, MPI_LOR, MPI_COMM_WORLD);
    check(any, "bool");
}

int main(int argc, char *argv[])
{
    Mpi mpi(argc, argv);
    int all_failed = 0;

    try {
        sums<int>(MPI_INT, 3);
        sums<double>(MPI_DOUBLE, 20000);
        blocks();
        objects();
        started();
        types_of_cxx();
        MPI_Barrier(MPI_COMM_WORLD);
    } catch (const std::exception &error) {
        check(false, error.what());
    }
    MPI_Reduce(&failed, &all_failed, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        std::printf("failed checks: %d\n", all_failed);
    }
    return 0;
}
