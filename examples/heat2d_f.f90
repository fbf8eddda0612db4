! heat2d_f.f90 - heat2d.c in Fortran: the same field, in every bit
!
!   mpifort heat2d_f.f90 $(pkg-config --cflags --libs repartir) -o heat2d_f
!   mpirun -n 4 ./heat2d_f --dir run
!
! Heat spreads over a plate; read there what the program does, and why the bits
! are the same whatever happens.  The two can go on from each other's
! checkpoints: u(x, y) here is u[y][x] there, since the first dimension runs
! fastest in Fortran, the last one in C and in HDF5.  What --out, --picture and
! --parquet do is left out: the field is the dataset "temperature" in the file
! state.h5 of the folder that `repartir ckpt path DIR/heat` prints, and a table
! by `repartir ckpt export --out=field.parquet DIR/heat`.
include 'repartir.f90'

module plate
    use, intrinsic :: iso_c_binding
    use mpi
    use repartir
    implicit none

    integer, parameter :: report_every = 100

    type settings
        integer(c_int64_t) :: n = 512, steps = 1000, every = 100
        integer(c_int64_t) :: step_ms = 0, kill_at = 0
        character(:), allocatable :: dir, engine
        logical :: is_async = .false.
    end type

    ! This rank's block, with a frame of one cell around; 1 is x, 2 is y.
    type block
        integer :: grid         ! communicator
        integer :: row          ! MPI type: one cell of each column
        integer :: west, east, north, south
        integer(c_int64_t) :: n, start(2), count(2)
        real(c_double), pointer :: u(:, :), next(:, :)
    end type

    interface
        function c_raise(signal) bind(C, name='raise')
            import
            integer(c_int), value :: signal
            integer(c_int) :: c_raise
        end function
        function c_usleep(microseconds) bind(C, name='usleep')
            import
            integer(c_int), value :: microseconds
            integer(c_int) :: c_usleep
        end function
    end interface

contains

    ! A failure of the library is returned on all ranks; each one knows why.
    subroutine must(status)
        integer(c_int), intent(in) :: status

        if (rpt_f_failed(status)) &
            call give_up(rpt_f_text(rpt_last_error_text()))
    end subroutine

    subroutine give_up(text)
        use, intrinsic :: iso_fortran_env, only: error_unit
        character(*), intent(in) :: text
        integer :: error

        write (error_unit, '(a)') text
        call MPI_Abort(MPI_COMM_WORLD, 1, error)
    end subroutine

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

    subroutine block_create(b, n)
        type(block), intent(out) :: b
        integer(c_int64_t), intent(in) :: n
        integer :: ranks, rank, dims(2), at(2), d, error
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
        allocate (b%u(0:b%count(1) + 1, 0:b%count(2) + 1), source=0d0)
        allocate (b%next(0:b%count(1) + 1, 0:b%count(2) + 1), source=0d0)
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

    ! What the state is: see there.  All in Fortran's order.
    subroutine describe(checkpoint, b, residual)
        type(c_ptr), intent(in) :: checkpoint
        type(block), intent(in) :: b
        real(c_double), intent(in), target :: residual

        call must(rpt_f_add_array(checkpoint, 'temperature', RPT_TYPE_F64, &
            dims=[b%n, b%n], start=b%start, count=b%count, &
            data=c_loc(b%u(0, 0)), memory_dims=b%count + 2, &
            memory_start=[1_c_int64_t, 1_c_int64_t]))
        call must(rpt_checkpoint_add_value(checkpoint, &
            'residual' // c_null_char, RPT_TYPE_F64, 1_c_size_t, &
            c_loc(residual)))
    end subroutine

    ! One that cannot be written is no reason to stop, unless it is the last.
    subroutine save(checkpoint, step, is_async, is_last)
        use, intrinsic :: iso_fortran_env, only: error_unit
        type(c_ptr), intent(in) :: checkpoint
        integer(c_int64_t), intent(in) :: step
        logical, intent(in) :: is_async, is_last
        integer(c_int) :: status

        if (is_async .and. .not. is_last) then
            ! How the one before went; normally it is over since long.
            if (rpt_f_failed(rpt_checkpoint_wait(checkpoint))) &
                write (error_unit, '(a)') rpt_f_text(rpt_last_error_text())
            status = rpt_checkpoint_save_async(checkpoint, step)
        else
            status = rpt_checkpoint_save(checkpoint, step)
        end if
        if (is_last) call must(status)
        if (rpt_f_failed(status)) &
            write (error_unit, '(a)') rpt_f_text(rpt_last_error_text())
    end subroutine

    ! A maximum does not depend on the order, so all runs print the same.
    subroutine report(group, step, largest, residual)
        use, intrinsic :: iso_fortran_env, only: output_unit
        type(c_ptr), intent(in) :: group
        integer(c_int64_t), intent(in) :: step
        real(c_double), intent(in), target :: largest
        real(c_double), intent(inout), target :: residual

        call must(rpt_allreduce(group, c_loc(largest), c_loc(residual), &
            1_c_size_t, RPT_TYPE_F64, RPT_OP_MAX))
        if (rpt_group_rank(group) == 0) then
            write (output_unit, '(a, i0, a, es24.16e3)') 'step ', step, &
                ': largest change ', residual
            flush (output_unit)
        end if
    end subroutine

    ! Goes on from a checkpoint, if there is one.
    subroutine restore(s, group, checkpoint, b, residual, step)
        use, intrinsic :: iso_fortran_env, only: error_unit
        type(settings), intent(in) :: s
        type(c_ptr), intent(in) :: group, checkpoint
        type(block), intent(inout) :: b
        real(c_double), intent(inout), target :: residual
        integer(c_int64_t), intent(out) :: step
        integer(c_int) :: status

        step = 0
        call describe(checkpoint, b, residual)
        call must(rpt_checkpoint_set_text(checkpoint, &
            'temperature' // c_null_char, 'units' // c_null_char, &
            'K' // c_null_char))
        status = rpt_checkpoint_restore(checkpoint, step)
        call must(status)
        if (step > s%steps) &
            call give_up(s%dir // ': it has a checkpoint of more steps')
        if (rpt_group_rank(group) == 0) then
            if (status == RPT_END) then
                write (error_unit, '(a)') 'heat2d_f: starts from the beginning'
            else
                write (error_unit, '(a, i0)') 'heat2d_f: goes on after step ', &
                    step
            end if
        end if
    end subroutine

    ! step is the one that was reached: the last, or the program should stop and
    ! is to be started again.
    subroutine loop(s, group, checkpoint, b, step)
        type(settings), intent(in) :: s
        type(c_ptr), intent(in) :: group, checkpoint
        type(block), intent(inout) :: b
        integer(c_int64_t), intent(out) :: step
        real(c_double), target :: residual, largest
        integer(c_int) :: due, ignored

        residual = 0
        due = RPT_DUE_NO
        call restore(s, group, checkpoint, b, residual, step)
        do while (step < s%steps .and. iand(due, RPT_DUE_STOP) == 0)
            call advance(b, largest)
            step = step + 1
            if (s%step_ms > 0) ignored = c_usleep(int(s%step_ms * 1000, c_int))
            if (mod(step, int(report_every, c_int64_t)) == 0 .or. &
                step == s%steps) call report(group, step, largest, residual)
            ! 9 is SIGKILL.
            if (step == s%kill_at .and. &
                rpt_group_rank(group) == rpt_group_size(group) - 1) &
                ignored = c_raise(9)
            call must(rpt_checkpoint_due(checkpoint, step, due))
            if (due /= RPT_DUE_NO .or. step == s%steps) then
                call describe(checkpoint, b, residual)
                call save(checkpoint, step, s%is_async, &
                    step == s%steps .or. iand(due, RPT_DUE_STOP) /= 0)
            end if
        end do
    end subroutine

    subroutine set_options(s, options)
        type(settings), intent(in) :: s
        type(c_ptr), intent(in) :: options
        character(20) :: every

        write (every, '(i0)') s%every
        call must(rpt_options_set(options, &
            'io.checkpoint.every' // c_null_char, trim(every) // c_null_char))
        call must(rpt_options_set(options, &
            'io.checkpoint.signals' // c_null_char, &
            'USR1,TERM' // c_null_char))
        if (allocated(s%engine)) call must(rpt_options_set(options, &
            'io.checkpoint.engine' // c_null_char, s%engine // c_null_char))
    end subroutine

    ! ---- the command line ----

    subroutine bad_usage()
        use, intrinsic :: iso_fortran_env, only: error_unit

        write (error_unit, '(a)') 'usage: heat2d_f --dir DIR [--n N] ' // &
            '[--steps N] [--every N] [--async]', &
            '    [--engine NAME] [--step-ms N] [--kill-at STEP]'
        stop 64
    end subroutine

    function argument(i) result(text)
        integer, intent(in) :: i
        character(:), allocatable :: text
        integer :: length

        if (i > command_argument_count()) call bad_usage()
        call get_command_argument(i, length=length)
        allocate (character(length) :: text)
        call get_command_argument(i, text)
    end function

    function number(text) result(value)
        character(*), intent(in) :: text
        integer(c_int64_t) :: value
        integer :: error

        read (text, *, iostat=error) value
        if (error /= 0 .or. value < 0) call bad_usage()
    end function

    subroutine read_arguments(s)
        type(settings), intent(inout) :: s
        integer :: i

        i = 1
        do while (i <= command_argument_count())
            select case (argument(i))
            case ('--async')
                s%is_async = .true.
                i = i - 1
            case ('--n')
                s%n = number(argument(i + 1))
            case ('--steps')
                s%steps = number(argument(i + 1))
            case ('--every')
                s%every = number(argument(i + 1))
            case ('--step-ms')
                s%step_ms = number(argument(i + 1))
            case ('--kill-at')
                s%kill_at = number(argument(i + 1))
            case ('--dir')
                s%dir = argument(i + 1)
            case ('--engine')
                s%engine = argument(i + 1)
            case default
                call bad_usage()
            end select
            i = i + 2
        end do
        if (.not. allocated(s%dir) .or. s%n < 1 .or. s%every < 1) &
            call bad_usage()
    end subroutine

end module plate

program heat2d_f
    use plate
    implicit none

    type(settings) :: s
    type(block) :: b
    type(c_ptr) :: options, context, group, checkpoint
    integer(c_int64_t) :: step
    integer :: given, error

    call read_arguments(s)
    call MPI_Init_thread(MPI_THREAD_MULTIPLE, given, error)
    call must(rpt_options_create(options))
    call set_options(s, options)
    call must(rpt_context_create_mpi_f(MPI_COMM_WORLD, options, &
        RPT_VERSION_NUMBER, context))
    call rpt_options_destroy(options)
    group = rpt_group_world(context)
    call must(rpt_checkpoint_open(group, s%dir // c_null_char, &
        'heat' // c_null_char, c_null_ptr, checkpoint))
    call block_create(b, s%n)

    call loop(s, group, checkpoint, b, step)
    if (step < s%steps .and. rpt_group_rank(group) == 0) &
        write (0, '(a, i0, a)') 'heat2d_f: stops after step ', step, &
            '; start it again'
    call rpt_checkpoint_close(checkpoint)
    call block_destroy(b)
    call rpt_context_destroy(context)
    call MPI_Finalize(error)
    if (step < s%steps) stop RPT_EXIT_AGAIN
end program
