! heat2d_f.f90 - heat2d.c in Fortran: the same field, in every bit
!
!   mpifort heat2d_f.f90 $(pkg-config --cflags --libs repartir) -o heat2d_f
!   mpirun -n 4 ./heat2d_f --dir run --out field.h5 --picture field.png
!
! Heat spreads over a plate; the program may be interrupted at any moment, and
! goes on from its newest checkpoint, on any number of ranks: heat2d.c says how.
! The two can go on from each other's checkpoints.  plate.f90 has the
! computation, png.f90 the picture.
include 'repartir.f90'
include 'plate.f90'
include 'png.f90'

module heat
    use, intrinsic :: iso_c_binding
    use, intrinsic :: iso_fortran_env, only: error_unit, output_unit
    use mpi
    use repartir
    use plate
    use png
    implicit none

    character(*), parameter :: task = 'heat' ! checkpoints of it: DIR/heat
    integer, parameter :: report_every = 100 ! steps
    integer(c_int64_t), parameter :: side_max = 512 ! pixels of the picture

    type settings
        integer(c_int64_t) :: n = 512, steps = 1000, every = 100
        integer(c_int64_t) :: step_ms = 0, kill_at = 0
        character(:), allocatable :: dir, engine, out, picture, parquet
        logical :: is_async = .false.
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
        character(*), intent(in) :: text
        integer :: error

        write (error_unit, '(a)') text
        call MPI_Abort(MPI_COMM_WORLD, 1, error)
    end subroutine

    ! ---- checkpoints ----

    ! What the state is.  The field changes its place in each step, so this is
    ! said again before each save.  All in Fortran's order.
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
            status = RPT_OK
            ! The result is made from it, so it is not to stay on the nodes.
            if (is_last) status = rpt_checkpoint_begin(checkpoint, step)
            if (.not. rpt_f_failed(status)) &
                status = rpt_checkpoint_save(checkpoint, step)
        end if
        if (is_last) call must(status)
        if (rpt_f_failed(status)) &
            write (error_unit, '(a)') rpt_f_text(rpt_last_error_text())
    end subroutine

    ! ---- the loop ----

    ! A maximum does not depend on the order, so all runs print the same.
    subroutine report(group, step, largest, residual)
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
        if (step > s%steps) call give_up('heat2d_f: ' // s%dir // &
            ': it has a checkpoint of more steps')
        if (rpt_group_rank(group) == 0) then
            if (status == RPT_END) then
                write (error_unit, '(a)') 'heat2d_f: starts from the beginning'
            else
                write (error_unit, '(a, i0)') 'heat2d_f: goes on after step ', &
                    step
            end if
        end if
    end subroutine

    subroutine die_on_last(group)
        type(c_ptr), intent(in) :: group
        integer(c_int) :: rank, size, ignored

        rank = rpt_group_rank(group)
        size = rpt_group_size(group)
        ! 9 is SIGKILL.
        if (rank == size - 1) ignored = c_raise(9)
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
            if (step == s%kill_at) call die_on_last(group)
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

    ! ---- the result ----

    subroutine copy(from, to)
        character(*), intent(in) :: from, to
        character(2**20), save :: bytes
        character(200) :: why
        integer(c_int64_t) :: length, left, n
        integer :: in, out, error

        open (newunit=in, file=from, access='stream', form='unformatted', &
            action='read', status='old', iostat=error, iomsg=why)
        if (error /= 0) call give_up('heat2d_f: ' // from // ': ' // trim(why))
        inquire (in, size=length)
        open (newunit=out, file=to, access='stream', form='unformatted', &
            action='write', status='replace', iostat=error, iomsg=why)
        left = length
        do while (left > 0 .and. error == 0)
            n = min(left, len(bytes, c_int64_t))
            read (in, iostat=error, iomsg=why) bytes(:n)
            if (error == 0) write (out, iostat=error, iomsg=why) bytes(:n)
            left = left - n
        end do
        if (error /= 0) call give_up('heat2d_f: ' // to // ': ' // trim(why))
        close (out)
        close (in)
        ! Not every compiler's library tells when the end of a file could not
        ! be written.
        inquire (file=to, size=n)
        if (n /= length) &
            call give_up('heat2d_f: ' // to // ': it was not written whole')
    end subroutine

    ! The last checkpoint is an HDF5 file with all that we want to show.
    subroutine write_out(s)
        type(settings), intent(in) :: s
        type(c_ptr) :: catalog, folder

        call must(rpt_catalog_open(s%dir // c_null_char, catalog))
        call must(rpt_catalog_path(catalog, task // c_null_char, path=folder))
        call copy(rpt_f_path(folder) // '/state.h5', s%out)
        call rpt_catalog_close(catalog)
    end subroutine

    ! A row for each cell: i0, i1, temperature; i0 is y.  Each rank writes a
    ! file of the folder; a librepartir without Parquet writes none.
    subroutine write_table(s, group)
        type(settings), intent(in) :: s
        type(c_ptr), intent(in) :: group
        type(rpt_export_config_t) :: config
        integer(c_int) :: status

        config%flags = RPT_EXPORT_REPLACE
        status = rpt_f_export(group, s%dir, task, s%parquet, &
            names=['temperature'], config=config)
        if (status /= RPT_ERR_UNSUPPORTED) then
            call must(status)
        else if (rpt_group_rank(group) == 0) then
            write (error_unit, '(a)') rpt_f_text(rpt_last_error_text()), &
                'heat2d_f: goes on without ' // s%parquet
        end if
    end subroutine

    ! Each rank colours the pixels of its block; they are 0 on all others.
    subroutine write_picture(s, group, b)
        type(settings), intent(in) :: s
        type(c_ptr), intent(in) :: group
        type(block), intent(in) :: b
        integer(c_int), allocatable, target :: pixels(:, :)
        integer(c_int64_t) :: side, i, j, x, y
        character(200) :: why
        integer :: error

        side = min(b%n, side_max)
        allocate (pixels(side, side), source=0_c_int)
        do j = 1, side
            y = (j - 1) * b%n / side - b%start(2) + 1
            if (y < 1 .or. y > b%count(2)) cycle
            do i = 1, side
                x = (i - 1) * b%n / side - b%start(1) + 1
                if (x >= 1 .and. x <= b%count(1)) &
                    pixels(i, j) = int(255 * b%u(x, y))
            end do
        end do
        call must(rpt_allreduce(group, RPT_IN_PLACE, c_loc(pixels), &
            size(pixels, kind=c_size_t), RPT_TYPE_I32, RPT_OP_MAX))
        if (rpt_group_rank(group) /= 0) return
        call png_write(s%picture, pixels, error, why)
        if (error /= 0) &
            call give_up('heat2d_f: ' // s%picture // ': ' // trim(why))
    end subroutine

    subroutine write_results(s, group, b)
        type(settings), intent(in) :: s
        type(c_ptr), intent(in) :: group
        type(block), intent(in) :: b

        if (allocated(s%out)) then
            if (rpt_group_rank(group) == 0) call write_out(s)
        end if
        if (allocated(s%picture)) call write_picture(s, group, b)
        if (allocated(s%parquet)) call write_table(s, group)
    end subroutine

    ! ---- the command line ----

    subroutine say_usage(unit)
        integer, intent(in) :: unit

        write (unit, '(a)') &
            'usage: heat2d_f --dir DIR [OPTION...]', &
            'Heat spreads over a plate of N times N cells.  Goes on from', &
            'the newest checkpoint in DIR; saves and ends with 75 after', &
            'USR1, which mpirun hands on, or when there is a file DIR/HALT:', &
            'start it again then.  TERM does so under srun; mpirun of', &
            'Open MPI ends the ranks one second after it.', &
            '  --n N            cells along a side (512)', &
            '  --steps N        steps in all (1000)', &
            '  --every N        steps from one checkpoint to the next (100)', &
            '  --dir DIR        where the checkpoints are', &
            '  --async          write them while the computation goes on', &
            '                   (engine collective: only sync and commit)', &
            '  --engine NAME    how: direct or collective', &
            '  --out FILE       the field in the end, as HDF5', &
            '  --picture FILE   the same as a picture, PNG', &
            '  --parquet DIR    the same as a table, a folder of Parquet files'
        write (unit, '(a)') &
            '  --step-ms N      wait in each step, as a longer one would', &
            '  --kill-at STEP   the last rank dies in this step, for a try'
    end subroutine

    subroutine bad_usage()
        call say_usage(error_unit)
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

    function number(text, least, most) result(value)
        character(*), intent(in) :: text
        integer(c_int64_t), intent(in) :: least, most
        integer(c_int64_t) :: value

        value = -1
        if (len(text) >= 1 .and. len(text) <= 18 .and. &
            verify(text, '0123456789') == 0) read (text, '(i18)') value
        if (value >= least .and. value <= most) return
        write (error_unit, '(3a, i0, a, i0)') 'heat2d_f: ', text, &
            ' is not a number from ', least, ' to ', most
        stop 64
    end function

    subroutine set_value(s, name, value)
        type(settings), intent(inout) :: s
        character(*), intent(in) :: name, value
        integer(c_int64_t), parameter :: steps_max = 2_c_int64_t**40

        select case (name)
        case ('--n')
            s%n = number(value, 1_c_int64_t, 2_c_int64_t**20)
        case ('--steps')
            s%steps = number(value, 1_c_int64_t, steps_max)
        case ('--every')
            s%every = number(value, 1_c_int64_t, steps_max)
        case ('--step-ms')
            s%step_ms = number(value, 0_c_int64_t, 1000000_c_int64_t)
        case ('--kill-at')
            s%kill_at = number(value, 1_c_int64_t, steps_max)
        case ('--dir')
            s%dir = value
        case ('--engine')
            s%engine = value
        case ('--out')
            s%out = value
        case ('--picture')
            s%picture = value
        case ('--parquet')
            s%parquet = value
        case default
            call bad_usage()
        end select
    end subroutine

    ! A value is the next argument, or stands behind a "=".
    subroutine read_arguments(s)
        type(settings), intent(inout) :: s
        character(:), allocatable :: word
        integer :: i, equals

        i = 1
        do while (i <= command_argument_count())
            word = argument(i)
            equals = index(word, '=')
            if (word == '--async') then
                s%is_async = .true.
            else if (word == '--help') then
                call say_usage(output_unit)
                stop
            else if (equals > 0) then
                call set_value(s, word(:equals - 1), word(equals + 1:))
            else
                i = i + 1
                call set_value(s, word, argument(i))
            end if
            i = i + 1
        end do
        if (.not. allocated(s%dir)) call bad_usage()
    end subroutine

end module heat

program heat2d_f
    use heat
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
        task // c_null_char, c_null_ptr, checkpoint))
    call block_create(b, s%n, error)
    if (error /= 0) call give_up('heat2d_f: the plate: out of memory')

    call loop(s, group, checkpoint, b, step)
    if (step >= s%steps) then
        call write_results(s, group, b)
    else if (rpt_group_rank(group) == 0) then
        write (error_unit, '(a, i0, a)') 'heat2d_f: stops after step ', step, &
            '; start it again'
    end if
    call rpt_checkpoint_close(checkpoint)
    call block_destroy(b)
    call rpt_context_destroy(context)
    call MPI_Finalize(error)
    if (step < s%steps) stop RPT_EXIT_AGAIN
end program
