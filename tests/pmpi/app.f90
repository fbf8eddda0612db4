! app.f90 - a Fortran program that knows MPI only; run by fortran_under_mpirun
!
! Every result is compared with what is computed here.  Compiled as it is, and
! with the preprocessor's F08 for mpi_f08.
program app
#ifdef F08
    use mpi_f08
#else
    use mpi
#endif
    implicit none
#ifdef F08
#define REQUEST type(MPI_Request)
#define COMM type(MPI_Comm)
#define DATATYPE type(MPI_Datatype)
#define STATUSES(name, n) type(MPI_Status) :: name(n)
#define FIRST_STATUS 1
#else
#define REQUEST integer
#define COMM integer
#define DATATYPE integer
#define STATUSES(name, n) integer :: name(MPI_STATUS_SIZE, n)
#define FIRST_STATUS 1:MPI_STATUS_SIZE, 1
#endif
    integer :: rank, size, error, failed, all_failed
    COMM :: going

    failed = 0
    call MPI_Init(error)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, error)
    call MPI_Comm_size(MPI_COMM_WORLD, size, error)
    call blocking()
    call in_place()
    call blocks()
    call one_by_one()
    call many_at_once()
    call started()
    call any_and_some()
    call again_and_again()
    call freed()
    call MPI_Reduce(failed, all_failed, 1, MPI_INTEGER, MPI_SUM, 0, &
        MPI_COMM_WORLD, error)
    if (rank == 0) print '(a, i0)', 'failed checks: ', all_failed
    call MPI_Finalize(error)

contains

    subroutine check(ok, what)
        logical, intent(in) :: ok
        character(len=*), intent(in) :: what

        if (.not. ok) then
            failed = failed + 1
            print '(a, i0, a, a)', 'rank ', rank, ': ', what
        end if
    end subroutine

    integer function all_ranks()
        all_ranks = size * (size - 1) / 2
    end function

    subroutine blocking()
        integer :: in(3), out(3), many(size), i
        double precision :: x, y

        in = rank + [0, 1, 2]
        out = -1
        call MPI_Allreduce(in, out, 3, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, &
            error)
        call check(all(out == all_ranks() + size * [0, 1, 2]), 'allreduce')
        x = rank
        y = -1
        call MPI_Allreduce(x, y, 1, MPI_DOUBLE_PRECISION, MPI_MAX, &
            MPI_COMM_WORLD, error)
        call check(y == size - 1, 'allreduce of double precision')
        x = rank
        call MPI_Bcast(x, 1, MPI_REAL8, size - 1, MPI_COMM_WORLD, error)
        call check(x == size - 1, 'bcast')
        call MPI_Allgather(rank, 1, MPI_INTEGER, many, 1, MPI_INTEGER, &
            MPI_COMM_WORLD, error)
        call check(all(many == [(i, i = 0, size - 1)]), 'allgather')
        call MPI_Barrier(MPI_COMM_WORLD, error)
        call check(error == MPI_SUCCESS, 'barrier')
    end subroutine

    subroutine in_place()
        integer :: v(2), many(size), i

        v = rank
        call MPI_Allreduce(MPI_IN_PLACE, v, 2, MPI_INTEGER, MPI_SUM, &
            MPI_COMM_WORLD, error)
        call check(all(v == all_ranks()), 'allreduce in place')
        many = -1
        many(rank + 1) = rank
        call MPI_Allgather(MPI_IN_PLACE, 0, MPI_INTEGER, many, 1, MPI_INTEGER, &
            MPI_COMM_WORLD, error)
        call check(all(many == [(i, i = 0, size - 1)]), 'allgather in place')
    end subroutine

    subroutine blocks()
        integer :: counts(size), places(size), in(size), out(size * size), i

        counts = [(i, i = 1, size)]
        places = [(i * size, i = 0, size - 1)]
        in = rank
        out = -1
        call MPI_Gatherv(in, rank + 1, MPI_INTEGER, out, counts, places, &
            MPI_INTEGER, 0, MPI_COMM_WORLD, error)
        do i = 0, size - 1
            call check(rank /= 0 .or. &
                all(out(i * size + 1:i * size + i + 1) == i), 'gatherv')
        end do
    end subroutine

    ! What all ranks give, and what comes of it, of all that is not above.
    subroutine one_by_one()
        integer :: counts(size), places(size), back(size), i, sum, got
        integer :: in(size), many(size), table(size * size), part(size)
        integer :: parts(size * (size + 1) / 2)
        DATATYPE :: types(size)

        counts = [(i, i = 1, size)]
        places = [(i * size, i = 0, size - 1)]
        back = [(size - 1 - i, i = 0, size - 1)]
        in = [(10 * rank + i, i = 0, size - 1)]
        table = [((i, got = 1, size), i = 0, size - 1)]
        types = MPI_INTEGER
        call MPI_Reduce(rank, sum, 1, MPI_INTEGER, MPI_SUM, size - 1, &
            MPI_COMM_WORLD, error)
        call check(rank < size - 1 .or. sum == all_ranks(), 'reduce')
        call MPI_Scan(rank, sum, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, error)
        call check(sum == rank * (rank + 1) / 2, 'scan')
        call MPI_Exscan(rank, sum, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, &
            error)
        call check(rank == 0 .or. sum == rank * (rank - 1) / 2, 'exscan')
        call MPI_Reduce_scatter_block(in, got, 1, MPI_INTEGER, MPI_SUM, &
            MPI_COMM_WORLD, error)
        call check(got == 10 * all_ranks() + size * rank, &
            'reduce_scatter_block')
        parts = rank
        part = -1
        call MPI_Reduce_scatter(parts, part, counts, MPI_INTEGER, MPI_SUM, &
            MPI_COMM_WORLD, error)
        call check(all(part(1:rank + 1) == all_ranks()), 'reduce_scatter')
        call MPI_Gather(rank, 1, MPI_INTEGER, many, 1, MPI_INTEGER, size - 1, &
            MPI_COMM_WORLD, error)
        call check(rank < size - 1 .or. all(many == [(i, i = 0, size - 1)]), &
            'gather')
        call MPI_Scatter(in, 1, MPI_INTEGER, got, 1, MPI_INTEGER, 0, &
            MPI_COMM_WORLD, error)
        call check(got == rank, 'scatter')
        call MPI_Scatterv(table, counts, places, MPI_INTEGER, part, rank + 1, &
            MPI_INTEGER, 0, MPI_COMM_WORLD, error)
        call check(all(part(1:rank + 1) == rank), 'scatterv')
        part = rank
        table = -1
        call MPI_Allgatherv(part, rank + 1, MPI_INTEGER, table, counts, &
            places, MPI_INTEGER, MPI_COMM_WORLD, error)
        do i = 0, size - 1
            call check(all(table(i * size + 1:i * size + i + 1) == i), &
                'allgatherv')
        end do
        call MPI_Alltoall(in, 1, MPI_INTEGER, many, 1, MPI_INTEGER, &
            MPI_COMM_WORLD, error)
        call check(all(many == [(10 * i + rank, i = 0, size - 1)]), 'alltoall')
        counts = 1
        places = [(i, i = 0, size - 1)]
        many = -1
        call MPI_Alltoallv(in, counts, back, MPI_INTEGER, many, counts, &
            places, MPI_INTEGER, MPI_COMM_WORLD, error)
        call check(all(many == [(10 * i + size - 1 - rank, i = 0, size - 1)]), &
            'alltoallv')
        many = -1
        call MPI_Alltoallw(in, counts, 4 * back, types, many, counts, &
            4 * places, types, MPI_COMM_WORLD, error)
        call check(all(many == [(10 * i + size - 1 - rank, i = 0, size - 1)]), &
            'alltoallw')
        many = in
        call MPI_Alltoallw(MPI_IN_PLACE, counts, places, types, many, counts, &
            4 * places, types, MPI_COMM_WORLD, error)
        call check(all(many == [(10 * i + rank, i = 0, size - 1)]), &
            'alltoallw in place')
    end subroutine

    ! The same, started.
    subroutine many_at_once()
        integer, asynchronous :: sums(3), got(2), in(size), many(size, 4)
        integer, asynchronous :: table(size * size), tables(size * size, 2)
        integer, asynchronous :: part(size), part_sums(size), parts_in(size)
        integer, asynchronous :: parts(size * (size + 1) / 2)
        integer, asynchronous :: counts(size), places(size), back(size)
        integer, asynchronous :: ones(size), next(size)
        integer :: i, j
        REQUEST :: requests(13)

        counts = [(i, i = 1, size)]
        places = [(i * size, i = 0, size - 1)]
        back = [(size - 1 - i, i = 0, size - 1)]
        ones = 1
        next = [(i, i = 0, size - 1)]
        in = [(10 * rank + i, i = 0, size - 1)]
        table = [((i, j = 1, size), i = 0, size - 1)]
        parts = rank
        parts_in = rank
        many = -1
        tables = -1
        part = -1
        part_sums = -1
        call MPI_Ireduce(rank, sums(1), 1, MPI_INTEGER, MPI_SUM, size - 1, &
            MPI_COMM_WORLD, requests(1), error)
        call MPI_Iscan(rank, sums(2), 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, &
            requests(2), error)
        call MPI_Iexscan(rank, sums(3), 1, MPI_INTEGER, MPI_SUM, &
            MPI_COMM_WORLD, requests(3), error)
        call MPI_Ireduce_scatter_block(in, got(1), 1, MPI_INTEGER, MPI_SUM, &
            MPI_COMM_WORLD, requests(4), error)
        call MPI_Ireduce_scatter(parts, part_sums, counts, MPI_INTEGER, &
            MPI_SUM, MPI_COMM_WORLD, requests(5), error)
        call MPI_Igather(rank, 1, MPI_INTEGER, many(1, 1), 1, MPI_INTEGER, &
            size - 1, MPI_COMM_WORLD, requests(6), error)
        call MPI_Iscatter(in, 1, MPI_INTEGER, got(2), 1, MPI_INTEGER, 0, &
            MPI_COMM_WORLD, requests(7), error)
        call MPI_Iscatterv(table, counts, places, MPI_INTEGER, part, rank + 1, &
            MPI_INTEGER, 0, MPI_COMM_WORLD, requests(8), error)
        call MPI_Iallgather(rank, 1, MPI_INTEGER, many(1, 2), 1, MPI_INTEGER, &
            MPI_COMM_WORLD, requests(9), error)
        call MPI_Iallgatherv(parts_in, rank + 1, MPI_INTEGER, tables(1, 1), &
            counts, places, MPI_INTEGER, MPI_COMM_WORLD, requests(10), error)
        call MPI_Igatherv(parts_in, rank + 1, MPI_INTEGER, tables(1, 2), &
            counts, places, MPI_INTEGER, 0, MPI_COMM_WORLD, requests(11), error)
        call MPI_Ialltoall(in, 1, MPI_INTEGER, many(1, 3), 1, MPI_INTEGER, &
            MPI_COMM_WORLD, requests(12), error)
        call MPI_Ialltoallv(in, ones, back, MPI_INTEGER, many(1, 4), ones, &
            next, MPI_INTEGER, MPI_COMM_WORLD, requests(13), error)
        call MPI_Waitall(13, requests, MPI_STATUSES_IGNORE, error)
        call check(rank < size - 1 .or. sums(1) == all_ranks(), 'ireduce')
        call check(sums(2) == rank * (rank + 1) / 2, 'iscan')
        call check(rank == 0 .or. sums(3) == rank * (rank - 1) / 2, 'iexscan')
        call check(got(1) == 10 * all_ranks() + size * rank, &
            'ireduce_scatter_block')
        call check(all(part_sums(1:rank + 1) == all_ranks()), 'ireduce_scatter')
        call check(rank < size - 1 .or. all(many(:, 1) == next), 'igather')
        call check(got(2) == rank, 'iscatter')
        call check(all(part(1:rank + 1) == rank), 'iscatterv')
        call check(all(many(:, 2) == next), 'iallgather')
        do i = 0, size - 1
            call check(all(tables(i * size + 1:i * size + i + 1, 1) == i), &
                'iallgatherv')
            call check(rank > 0 .or. &
                all(tables(i * size + 1:i * size + i + 1, 2) == i), 'igatherv')
        end do
        call check(all(many(:, 3) == 10 * next + rank), 'ialltoall')
        call check(all(many(:, 4) == 10 * next + size - 1 - rank), 'ialltoallv')
    end subroutine

    subroutine started()
        integer :: in, sum, incoming, next, previous
        REQUEST :: requests(4)
        STATUSES(all_statuses, 4)
        logical :: flag

        next = mod(rank + 1, size)
        previous = mod(rank + size - 1, size)
        in = rank
        sum = -1
        incoming = -1
        call MPI_Iallreduce(in, sum, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, &
            requests(1), error)
        call MPI_Irecv(incoming, 1, MPI_INTEGER, previous, 3, MPI_COMM_WORLD, &
            requests(2), error)
        call MPI_Isend(rank, 1, MPI_INTEGER, next, 3, MPI_COMM_WORLD, &
            requests(3), error)
        requests(4) = MPI_REQUEST_NULL
        call MPI_Waitall(4, requests, all_statuses, error)
        call check(sum == all_ranks() .and. incoming == previous, 'waitall')
#ifdef F08
        call check(all_statuses(2)%MPI_TAG == 3, 'status')
#else
        call check(all_statuses(MPI_TAG, 2) == 3, 'status')
#endif
        call check(requests(1) == MPI_REQUEST_NULL, 'null afterwards')
        call MPI_Ibarrier(MPI_COMM_WORLD, requests(1), error)
        flag = .false.
        do while (.not. flag)
            call MPI_Test(requests(1), flag, MPI_STATUS_IGNORE, error)
        end do
        call MPI_Ibcast(in, 1, MPI_INTEGER, 0, MPI_COMM_WORLD, requests(1), &
            error)
        call MPI_Wait(requests(1), MPI_STATUS_IGNORE, error)
        call check(in == 0, 'ibcast')
    end subroutine

    subroutine any_and_some()
        integer :: in, sums(3), i, n, at, seen, indices(3)
        REQUEST :: requests(3)
        logical :: flag

        in = rank
        do i = 1, 3
            call MPI_Iallreduce(in, sums(i), 1, MPI_INTEGER, MPI_SUM, &
                MPI_COMM_WORLD, requests(i), error)
        end do
        call MPI_Waitany(3, requests, at, MPI_STATUS_IGNORE, error)
        call check(at >= 1 .and. at <= 3, 'waitany')
        call check(sums(at) == all_ranks(), 'sum of waitany')
        seen = 1
        do while (seen < 3)
            call MPI_Waitsome(3, requests, n, indices, MPI_STATUSES_IGNORE, &
                error)
            do i = 1, n
                call check(sums(indices(i)) == all_ranks(), 'waitsome')
            end do
            seen = seen + n
        end do
        call MPI_Testany(3, requests, at, flag, MPI_STATUS_IGNORE, error)
        call check(flag, 'nothing is left')
        call MPI_Testall(3, requests, flag, MPI_STATUSES_IGNORE, error)
        call check(flag, 'testall')
    end subroutine

    ! Persistent ones, beside a barrier; both are done with what is asked last.
    subroutine again_and_again()
        integer, asynchronous :: out, in
        integer :: next, previous, i, n, seen, indices(3)
        REQUEST :: requests(3)
        STATUSES(statuses, 3)
        logical :: flag

        next = mod(rank + 1, size)
        previous = mod(rank + size - 1, size)
        call MPI_Send_init(out, 1, MPI_INTEGER, next, 4, MPI_COMM_WORLD, &
            requests(1), error)
        call MPI_Recv_init(in, 1, MPI_INTEGER, previous, 4, MPI_COMM_WORLD, &
            requests(2), error)
        do i = 1, 3
            out = i * size + rank
            in = -1
            call MPI_Startall(2, requests, error)
            call MPI_Ibarrier(MPI_COMM_WORLD, requests(3), error)
            seen = 0
            do while (seen < 3)
                call MPI_Testsome(3, requests, n, indices, statuses, error)
                call check(all(indices(1:n) >= 1 .and. indices(1:n) <= 3), &
                    'testsome')
                seen = seen + n
            end do
            call check(in == i * size + previous, 'startall')
            call check(requests(3) == MPI_REQUEST_NULL, 'a barrier is over')
        end do
        call MPI_Ibarrier(MPI_COMM_WORLD, requests(3), error)
        flag = .false.
        do while (.not. flag)
            call MPI_Request_get_status(requests(3), flag, MPI_STATUS_IGNORE, &
                error)
        end do
        call check(requests(3) /= MPI_REQUEST_NULL, 'request_get_status')
        call MPI_Wait(requests(3), MPI_STATUS_IGNORE, error)
        out = rank
        call MPI_Start(requests(2), error)
        call MPI_Start(requests(1), error)
        call MPI_Waitall(2, requests, MPI_STATUSES_IGNORE, error)
        call check(in == previous, 'start')
        call MPI_Start(requests(2), error)
        call MPI_Cancel(requests(2), error)
        call MPI_Wait(requests(2), statuses(FIRST_STATUS), error)
        call MPI_Test_cancelled(statuses(FIRST_STATUS), flag, error)
        call check(flag, 'cancel')
#ifdef BARRIER_INIT
        call MPI_Barrier_init(MPI_COMM_WORLD, MPI_INFO_NULL, requests(3), error)
        do i = 1, 3
            call MPI_Start(requests(3), error)
            call MPI_Wait(requests(3), MPI_STATUS_IGNORE, error)
        end do
        call MPI_Request_free(requests(3), error)
        call check(requests(3) == MPI_REQUEST_NULL, 'a barrier is freed')
#endif
        do i = 1, 2
            call MPI_Request_free(requests(i), error)
            call check(requests(i) == MPI_REQUEST_NULL, 'request_free')
        end do
    end subroutine

    ! Open MPI 4.1 does not say here which communicator goes.
    subroutine at_end(comm, key, value, extra, result)
        COMM :: comm
        integer :: key, result, sum
        integer(kind=MPI_ADDRESS_KIND) :: value, extra

        sum = -1
        call MPI_Scan(rank, sum, 1, MPI_INTEGER, MPI_SUM, going, error)
        call check(sum == rank * (rank + 1) / 2, 'scan at the end')
        result = MPI_SUCCESS
    end subroutine

    subroutine freed()
        integer :: key, i
        integer(kind=MPI_ADDRESS_KIND) :: nothing

        nothing = 0
        call MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, at_end, key, &
            nothing, error)
        do i = 1, 4
            call MPI_Comm_dup(MPI_COMM_WORLD, going, error)
            call MPI_Comm_set_attr(going, key, nothing, error)
            call MPI_Barrier(going, error)
            if (mod(i, 2) == 0) then
                call MPI_Comm_free(going, error)
            else
                call MPI_Comm_disconnect(going, error)
            end if
            call check(going == MPI_COMM_NULL, 'a freed one is none')
        end do
        call MPI_Comm_free_keyval(key, error)
    end subroutine
end program
