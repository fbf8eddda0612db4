! plate.f90 - plate.h in Fortran: cells on a grid of ranks, and how heat spreads
!
! Read there how, and why the bits are the same on any number of ranks: both
! compute the same sums in the same order.  u(x, y) is u[y][x] there, since the
! first dimension runs fastest in Fortran, the last one in C.
module plate
    use, intrinsic :: iso_c_binding
    use mpi
    implicit none

    ! This rank's block, with a frame of one cell around; 1 is x, 2 is y.
    type block
        integer :: grid         ! communicator
        integer :: row          ! MPI type: one cell of each column
        integer :: west, east, north, south
        integer(c_int64_t) :: n, start(2), count(2)
        real(c_double), pointer :: u(:, :), next(:, :)
    end type

contains

    ! Parts of n cells as equal as can be; with more parts than cells the last
    ! ones are empty.
    subroutine cut(n, parts, i, start, count)
        integer(c_int64_t), intent(in) :: n
        integer, intent(in) :: parts, i
        integer(c_int64_t), intent(out) :: start, count
        integer(c_int64_t) :: least, more

        least = n / parts
        more = mod(n, int(parts, c_int64_t))
        count = least
        if (i < more) count = least + 1
        start = least * i + min(int(i, c_int64_t), more)
    end subroutine

    subroutine find_neighbours(b)
        type(block), intent(inout) :: b
        integer :: error

        call MPI_Cart_shift(b%grid, 0, 1, b%west, b%east, error)
        call MPI_Cart_shift(b%grid, 1, 1, b%north, b%south, error)
        if (any(b%count == 0)) then
            b%north = MPI_PROC_NULL
            b%west = MPI_PROC_NULL
        end if
        if (any(b%count == 0) .or. b%start(1) + b%count(1) == b%n) then
            b%east = MPI_PROC_NULL
        end if
        if (any(b%count == 0) .or. b%start(2) + b%count(2) == b%n) then
            b%south = MPI_PROC_NULL
        end if
    end subroutine

    ! Two discs are hot at the beginning.
    elemental function first(n, x, y) result(u)
        integer(c_int64_t), intent(in) :: n, x, y
        real(c_double) :: u

        u = 0
        if ((8*y - 5*n)**2 + (8*x - 6*n)**2 < n**2) u = 0.75d0
        if ((8*y - 3*n)**2 + (8*x - 3*n)**2 < 4 * n**2) u = 1
    end function

    ! error is 0, or else there is no memory.
    subroutine block_create(b, n, error)
        type(block), intent(out) :: b
        integer(c_int64_t), intent(in) :: n
        integer, intent(out) :: error
        integer :: ranks, rank, dims(2), at(2), d
        integer(c_int64_t) :: x, y

        dims = 0
        b%n = n
        call MPI_Comm_size(MPI_COMM_WORLD, ranks, error)
        call MPI_Dims_create(ranks, 2, dims, error)
        call MPI_Cart_create(MPI_COMM_WORLD, 2, dims, [.false., .false.], &
            .false., b%grid, error)
        call MPI_Comm_rank(b%grid, rank, error)
        call MPI_Cart_coords(b%grid, rank, 2, at, error)
        do d = 1, 2
            call cut(n, dims(d), at(d), b%start(d), b%count(d))
        end do
        call find_neighbours(b)
        call MPI_Type_vector(int(b%count(2)), 1, int(b%count(1)) + 2, &
            MPI_DOUBLE_PRECISION, b%row, error)
        call MPI_Type_commit(b%row, error)
        allocate (b%u(0:b%count(1) + 1, 0:b%count(2) + 1), &
            b%next(0:b%count(1) + 1, 0:b%count(2) + 1), stat=error)
        if (error /= 0) return
        b%u = 0
        b%next = 0
        do y = 1, b%count(2)
            do x = 1, b%count(1)
                b%u(x, y) = first(n, b%start(1) + x - 1, b%start(2) + y - 1)
            end do
        end do
    end subroutine

    subroutine block_destroy(b)
        type(block), intent(inout) :: b
        integer :: error

        deallocate (b%u, b%next)
        call MPI_Type_free(b%row, error)
        call MPI_Comm_free(b%grid, error)
    end subroutine

    ! The borders of the neighbours come to the frame.  Arguments are single
    ! elements, so that no compiler makes a copy of a part of the array.
    subroutine exchange(b)
        type(block), intent(inout) :: b
        integer :: nx, error
        integer(c_int64_t) :: lx, ly

        lx = b%count(1)
        ly = b%count(2)
        nx = int(lx)
        call MPI_Sendrecv(b%u(1, 1), nx, MPI_DOUBLE_PRECISION, b%north, 0, &
            b%u(1, ly + 1), nx, MPI_DOUBLE_PRECISION, b%south, 0, b%grid, &
            MPI_STATUS_IGNORE, error)
        call MPI_Sendrecv(b%u(1, ly), nx, MPI_DOUBLE_PRECISION, b%south, 1, &
            b%u(1, 0), nx, MPI_DOUBLE_PRECISION, b%north, 1, b%grid, &
            MPI_STATUS_IGNORE, error)
        call MPI_Sendrecv(b%u(1, 1), 1, b%row, b%west, 2, &
            b%u(lx + 1, 1), 1, b%row, b%east, 2, b%grid, &
            MPI_STATUS_IGNORE, error)
        call MPI_Sendrecv(b%u(lx, 1), 1, b%row, b%east, 3, &
            b%u(0, 1), 1, b%row, b%west, 3, b%grid, MPI_STATUS_IGNORE, error)
    end subroutine

    ! One step; largest is that change of a cell of this rank.
    subroutine advance(b, largest)
        type(block), intent(inout) :: b
        real(c_double), intent(out) :: largest
        real(c_double), pointer :: old(:, :)
        real(c_double) :: change
        integer(c_int64_t) :: x, y

        call exchange(b)
        largest = 0
        do y = 1, b%count(2)
            do x = 1, b%count(1)
                change = 0.125d0 * (((b%u(x, y - 1) + b%u(x, y + 1)) + &
                    (b%u(x - 1, y) + b%u(x + 1, y))) - 4 * b%u(x, y))
                b%next(x, y) = b%u(x, y) + change
                largest = max(largest, abs(change))
            end do
        end do
        old => b%u
        b%u => b%next
        b%next => old
    end subroutine

end module plate
