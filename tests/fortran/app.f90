! app.f90 - each function of repartir.f03, once and with an answer that is known
!
! mpirun -n N app DIR yes|no: DIR is an empty folder; whether there is Parquet.
! Prints what is wrong on any rank and "failed checks: N".
include 'repartir.f90'

module blobs
    use, intrinsic :: iso_c_binding
    use repartir
    implicit none
    ! What this rank packs: its rank, so often; and what has come back.
    integer(c_int), save :: own, n_come, sum_come

contains

    function measure(user, bytes) bind(C) result(status)
        type(c_ptr), value :: user
        integer(c_int64_t), intent(out) :: bytes
        integer(c_int) :: status

        status = RPT_OK
        if (.not. c_associated(user)) status = RPT_ERR_INVALID
        bytes = 4
    end function

    function pack_own(user, bytes, n_bytes) bind(C) result(status)
        type(c_ptr), value :: user, bytes
        integer(c_int64_t), value :: n_bytes
        integer(c_int) :: status
        integer(c_int), pointer :: from, to

        status = RPT_ERR_INVALID
        if (n_bytes /= 4) return
        call c_f_pointer(user, from)
        call c_f_pointer(bytes, to)
        to = from
        status = RPT_OK
    end function

    function unpack_any(user, bytes, n_bytes, from, n_from) bind(C) &
            result(status)
        type(c_ptr), value :: user, bytes
        integer(c_int64_t), value :: n_bytes
        integer(c_int), value :: from, n_from
        integer(c_int) :: status
        integer(c_int), pointer :: packed

        status = RPT_ERR_INVALID
        if (n_bytes /= 4 .or. from >= n_from) return
        if (.not. c_associated(user)) return
        call c_f_pointer(bytes, packed)
        n_come = n_come + 1
        sum_come = sum_come + packed
        status = RPT_OK
    end function

end module blobs

module checks
    use, intrinsic :: iso_c_binding
    use mpi
    use repartir
    use blobs
    implicit none
    integer :: n_failed = 0, rank, ranks
    ! Data that the library keeps the addresses of.
    real(c_double), target :: a(0:4, 0:6), time
    integer(c_int), target :: packed

contains

    subroutine check(right, what)
        logical, intent(in) :: right
        character(*), intent(in) :: what

        if (right) return
        n_failed = n_failed + 1
        print '(a, i0, 3a)', 'rank ', rank, ': ', what, ': ' // &
            rpt_f_text(rpt_last_error_text())
    end subroutine

    subroutine look_at_texts()
        type(c_ptr) :: options, value
        integer(c_int) :: status

        call check(rpt_f_text(rpt_status_name(RPT_ERR_IO)) == 'RPT_ERR_IO', &
            'name of a status')
        call check(rpt_f_text(rpt_status_text(RPT_OK)) == 'success', &
            'text of a status')
        call check(rpt_f_text(c_null_ptr) == '', 'no text')
        call check(rpt_version() == RPT_VERSION_NUMBER, 'version')
        call check(rpt_options_create(options) == RPT_OK, 'options')
        status = rpt_options_set(options, 'pool.slots' // c_null_char, &
            '3' // c_null_char)
        call check(status == RPT_OK, 'an option')
        value = c_null_ptr
        status = rpt_options_get(options, 'pool.slots' // c_null_char, value)
        call check(status == RPT_OK .and. rpt_f_text(value) == '3', &
            'its value')
        status = rpt_options_set(options, 'pool.slutz' // c_null_char, &
            '3' // c_null_char)
        call check(status == RPT_ERR_NOT_FOUND .and. rpt_f_failed(status), &
            'an option that is not there')
        call check(index(rpt_f_text(rpt_last_error_text()), 'pool.slots') > 0, &
            'the error names the nearest one')
        call rpt_options_destroy(options)
        call check(abs(rpt_checkpoint_interval(0.5d0, 1d0) - 0.5d0) < 0.5d0, &
            'interval')
        call check(.not. rpt_checkpoint_interval(-1d0, 1d0) > 0, &
            'interval of nonsense')
    end subroutine

    subroutine look_at_groups(context)
        type(c_ptr), intent(in) :: context
        type(c_ptr) :: world, group
        integer :: reverse, error

        world = rpt_group_world(context)
        call check(rpt_context_rank(context) == rank .and. &
            rpt_context_size(context) == ranks, 'rank and size')
        call check(rpt_context_n_nodes(context) >= 1 .and. &
            rpt_context_progresses(context) >= 0, 'nodes and progress')
        call check(rpt_group_rank(world) == rank .and. &
            rpt_group_size(world) == ranks, 'the world')
        call MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, reverse, error)
        call check(rpt_group_from_mpi_f(context, reverse, group) == RPT_OK, &
            'a group from a communicator')
        call check(rpt_group_rank(group) == ranks - 1 - rank .and. &
            rpt_group_world_rank(group, 0) == ranks - 1, 'the reverse order')
        call rpt_group_destroy(group)
        call MPI_Comm_free(reverse, error)
        group = c_null_ptr
        call check(rpt_group_split(world, mod(rank, 2), 0, group) == RPT_OK, &
            'a split')
        call check(rpt_group_rank(group) == rank / 2, 'its rank')
        call check(rpt_group_barrier(group) == RPT_OK, 'its barrier')
        call rpt_group_destroy(group)
    end subroutine

    subroutine look_at_collectives(world)
        type(c_ptr), intent(in) :: world
        integer(c_int64_t), target :: x(3), y(3)
        integer(c_int) :: status

        x = [1, 10, 100] * (rank + 1)
        status = rpt_allreduce(world, c_loc(x), c_loc(y), 3_c_size_t, &
            RPT_TYPE_I64, RPT_OP_SUM)
        call check(status == RPT_OK .and. &
            all(y == [1, 10, 100] * (ranks * (ranks + 1) / 2)), 'allreduce')
        status = rpt_allreduce(world, RPT_IN_PLACE, c_loc(x), 3_c_size_t, &
            RPT_TYPE_I64, RPT_OP_MAX)
        call check(status == RPT_OK .and. all(x == [1, 10, 100] * ranks), &
            'allreduce in place')
        y = rank
        status = rpt_broadcast(world, c_loc(y), 3_c_size_t, RPT_TYPE_I64, &
            ranks - 1)
        call check(status == RPT_OK .and. all(y == ranks - 1), 'broadcast')
        call check(rpt_barrier(world) == RPT_OK, 'barrier')
    end subroutine

    ! Columns of 5 cells of an array of (7, 4 ranks), of which this rank has
    ! rows 2 to 4 and columns 4 rank to 4 rank + 3, with a frame of one cell.
    subroutine describe(c)
        type(c_ptr), intent(in) :: c
        type(rpt_checkpoint_blob) :: blob
        character(5), target :: name = 'ranks'

        call check(rpt_f_add_array(c, 'a', RPT_TYPE_F64, &
            dims=[7_c_int64_t, 4_c_int64_t * ranks], &
            start=[2_c_int64_t, 4_c_int64_t * rank], &
            count=[3_c_int64_t, 4_c_int64_t], data=c_loc(a), &
            memory_dims=[5_c_int64_t, 7_c_int64_t], &
            memory_start=[1_c_int64_t, 1_c_int64_t]) == RPT_OK, 'an array')
        call refuse_arrays(c)
        call check(rpt_checkpoint_add_value(c, 'flow/time' // c_null_char, &
            RPT_TYPE_F64, 1_c_size_t, c_loc(time)) == RPT_OK, 'a value')
        name = 'blob' // c_null_char
        blob%size = c_sizeof(blob)
        blob%name = c_loc(name)
        blob%measure = c_funloc(measure)
        blob%pack = c_funloc(pack_own)
        blob%unpack = c_funloc(unpack_any)
        blob%user = c_loc(packed)
        blob%policy = RPT_BLOB_ALL
        call check(rpt_checkpoint_add_blob(c, blob) == RPT_OK, 'a blob')
    end subroutine

    ! Too many dimensions, and lists that do not fit together.
    subroutine refuse_arrays(c)
        type(c_ptr), intent(in) :: c
        integer(c_int64_t) :: ones(40)

        ones = 1
        call check(rpt_f_add_array(c, 'b', RPT_TYPE_F64, ones, ones, ones, &
            c_loc(a)) == RPT_ERR_INVALID, '40 dimensions')
        call check(rpt_f_add_array(c, 'b', RPT_TYPE_F64, ones(:2), ones(:1), &
            ones(:2), c_loc(a)) == RPT_ERR_INVALID, 'a short start')
        call check(rpt_f_add_array(c, 'b', RPT_TYPE_F64, ones(:2), ones(:2), &
            ones(:3), c_loc(a)) == RPT_ERR_INVALID, 'a long count')
        call check(rpt_f_add_array(c, 'b', RPT_TYPE_F64, ones(:2), ones(:2), &
            ones(:2), c_loc(a), memory_dims=ones(:3)) == RPT_ERR_INVALID, &
            'long memory_dims')
        call check(rpt_f_add_array(c, 'b', RPT_TYPE_F64, ones(:2), ones(:2), &
            ones(:2), c_loc(a), memory_start=ones(:1)) == RPT_ERR_INVALID, &
            'a short memory_start')
    end subroutine

    subroutine set_attributes(c)
        type(c_ptr), intent(in) :: c
        real(c_double), target :: step = 0.25d0

        call check(rpt_checkpoint_set_text(c, 'a' // c_null_char, &
            'units' // c_null_char, 'K' // c_null_char) == RPT_OK, 'a text')
        call check(rpt_checkpoint_set_text(c, name='title' // c_null_char, &
            text='from Fortran' // c_null_char) == RPT_OK, 'a text of the file')
        call check(rpt_checkpoint_set_attribute(c, &
            name='step' // c_null_char, type=RPT_TYPE_F64, count=1_c_size_t, &
            value=c_loc(step)) == RPT_OK, 'an attribute')
    end subroutine

    elemental function value_at(i, j) result(value)
        integer, intent(in) :: i, j
        real(c_double) :: value

        value = 100d0 * i + j
    end function

    subroutine look_at_checkpoints(world, directory)
        type(c_ptr), intent(in) :: world
        character(*), intent(in) :: directory
        type(c_ptr) :: c
        type(rpt_checkpoint_stats_t) :: stats
        integer(c_int64_t) :: iteration = -1
        integer(c_int) :: due
        integer :: i, j

        call check(rpt_checkpoint_open(world, directory // c_null_char, &
            'fortran' // c_null_char, c_null_ptr, c) == RPT_OK, 'open')
        call describe(c)
        call set_attributes(c)
        call check(rpt_checkpoint_restore(c, iteration) == RPT_END .and. &
            iteration == -1, 'nothing to restore')
        a = -1
        do j = 1, 4
            do i = 1, 3
                a(i, j) = value_at(1 + i, 4 * rank + j - 1)
            end do
        end do
        time = 2.5d0
        packed = rank + 1
        call check(rpt_checkpoint_save(c, 3_c_int64_t) == RPT_OK, 'save')
        call check(rpt_checkpoint_save_async(c, 4_c_int64_t) == RPT_OK, &
            'save_async')
        call check(rpt_checkpoint_wait(c) == RPT_OK, 'wait')
        call check(rpt_checkpoint_test(c) == RPT_OK, 'test')
        due = -1
        call check(rpt_checkpoint_due(c, 5_c_int64_t, due) == RPT_OK .and. &
            due == RPT_DUE_NO, 'nothing is due')
        call check(rpt_checkpoint_stats(c, stats) == RPT_OK .and. &
            stats%size == c_sizeof(stats) .and. stats%n_saves == 2 .and. &
            stats%n_failures == 0 .and. stats%total_s > 0, 'stats')
        call check(rpt_checkpoint_save(c, 2_c_int64_t) == RPT_ERR_EXISTS, &
            'an older one is refused')

        a = -2
        time = 0
        n_come = 0
        sum_come = 0
        call check(rpt_checkpoint_restore(c, iteration) == RPT_OK .and. &
            iteration == 4, 'restore')
        do j = 0, 6
            do i = 0, 4
                if (i >= 1 .and. i <= 3 .and. j >= 1 .and. j <= 4) then
                    call check(.not. abs(a(i, j) - &
                        value_at(1 + i, 4 * rank + j - 1)) > 0, 'a cell')
                else
                    call check(.not. abs(a(i, j) + 2) > 0, 'the frame')
                end if
            end do
        end do
        call check(.not. abs(time - 2.5d0) > 0, 'the value is restored')
        call check(n_come == ranks .and. sum_come == ranks * (ranks + 1) / 2, &
            'blobs of all ranks')
        call route_files(c)
        call rpt_checkpoint_close(c)
    end subroutine

    subroutine route_files(c)
        type(c_ptr), intent(in) :: c
        type(c_ptr) :: place
        character(20) :: name
        character(:), allocatable :: path
        integer(c_int64_t) :: iteration = -1
        integer :: unit, found

        write (name, '(a, i0)') 'mine/rank', rank
        call check(rpt_checkpoint_begin(c, 5_c_int64_t) == RPT_OK, 'begin')
        call check(rpt_checkpoint_route(c, trim(name) // c_null_char, &
            place) == RPT_OK, 'route')
        path = rpt_f_path(place)
        call check(.not. c_associated(place), 'the path is released')
        open (newunit=unit, file=path, action='write')
        write (unit, *) 100 + rank
        close (unit)
        call check(rpt_checkpoint_save(c, 5_c_int64_t) == RPT_OK, &
            'save with files')
        call check(rpt_checkpoint_restore(c, iteration) == RPT_OK .and. &
            iteration == 5, 'restore with files')
        call check(rpt_checkpoint_file(c, trim(name) // c_null_char, &
            place) == RPT_OK, 'file')
        path = rpt_f_path(place)
        found = 0
        open (newunit=unit, file=path, action='read')
        read (unit, *) found
        close (unit)
        call check(found == 100 + rank, 'the file is back')
        call check(rpt_checkpoint_restored_path(c, place) == RPT_OK, &
            'restored_path')
        path = rpt_f_path(place)
        call check(index(path, 'state.h5') > 0 .or. &
            index(path, '/it-') > 0, 'its place')
        call check(rpt_checkpoint_file(c, 'none' // c_null_char, place) == &
            RPT_ERR_NOT_FOUND, 'a file that is not there')
    end subroutine

    ! Where the newest one and that of iteration 4 are.
    subroutine look_at_catalogs(directory)
        character(*), intent(in) :: directory
        type(c_ptr) :: catalog, place
        character(:), allocatable :: path
        logical :: is_there

        catalog = c_null_ptr
        place = c_null_ptr
        call check(rpt_catalog_open(directory // '/no' // c_null_char, &
            catalog) == RPT_ERR_NOT_FOUND .and. .not. c_associated(catalog), &
            'a catalog of nothing')
        call check(rpt_catalog_open(directory // c_null_char, catalog) == &
            RPT_OK, 'a catalog')
        call check(rpt_catalog_path(catalog, path=place) == RPT_OK, &
            'the newest')
        path = rpt_f_path(place)
        inquire (file=path // '/files/mine/rank0', exist=is_there)
        call check(is_there .and. index(path, '/fortran/it-000000000005') > 0, &
            'its path')
        call check(rpt_catalog_path(catalog, 'fortran' // c_null_char, &
            '4' // c_null_char, place) == RPT_OK, 'one by its iteration')
        path = rpt_f_path(place)
        call check(index(path, '/fortran/it-000000000004') > 0, 'its path')
        call check(rpt_catalog_path(catalog, which='7' // c_null_char, &
            path=place) == RPT_ERR_NOT_FOUND .and. .not. c_associated(place), &
            'one that is not there')
        call rpt_catalog_close(catalog)
    end subroutine

    ! Exports of what look_at_checkpoints() has left.
    subroutine look_at_exports(world, directory)
        type(c_ptr), intent(in) :: world
        character(*), intent(in) :: directory
        type(rpt_export_config_t) :: config
        type(rpt_export_result_t) :: r
        character(:), allocatable :: out

        out = directory // '/all'
        call check(rpt_f_export(world, directory, 'fortran', out, &
            exported=r) == RPT_OK, 'export')
        ! a has 7 times 4 cells a rank; one value; a blob of each rank.
        call check(r%size == c_sizeof(r) .and. r%iteration == 5 .and. &
            r%n_tables == 3 .and. r%n_rows == 28 * ranks + 1 + ranks .and. &
            r%file_bytes > 0 .and. r%raw_bytes == 28 * ranks * 8 + 8 + &
            4 * ranks .and. r%n_left_out == 0, 'what was exported')
        call check(rpt_f_export(world, directory, 'fortran', out) == &
            RPT_ERR_EXISTS, 'a table is not replaced unasked')
        config%flags = ior(RPT_EXPORT_REPLACE, RPT_EXPORT_NO_INDEX)
        config%keepbits = 8
        call check(rpt_f_export(world, directory, 'fortran', out, '4', &
            ['a        ', 'flow/time'], config, r) == RPT_OK .and. &
            r%iteration == 4 .and. r%n_tables == 2 .and. &
            r%n_rows == 28 * ranks + 1, 'an array and a value of another one')
        config%tables = RPT_EXPORT_CHECKPOINTS
        config%data_bytes = 1
        call check(rpt_f_export(world, directory, 'fortran', out, &
            config=config, exported=r) == RPT_OK .and. r%n_tables == 1 .and. &
            r%n_rows == 3 .and. r%n_left_out == 3, 'the checkpoints')
        call check(rpt_f_export(world, directory, 'fortran', out // '2', &
            names=['b']) == RPT_ERR_NOT_FOUND, 'an array that is not there')
        call check(rpt_checkpoint_export(world, directory // c_null_char, &
            config=rpt_export_config_t()) == RPT_ERR_INVALID, 'no size')
    end subroutine

    ! On one rank alone, from three threads.
    subroutine look_at_local_exports(directory)
        character(*), intent(in) :: directory
        type(rpt_export_config_t) :: config
        type(rpt_export_result_t) :: r
        character(:), allocatable, target :: out

        out = directory // '/local' // c_null_char
        config%size = c_sizeof(config)
        config%output = c_loc(out)
        config%tables = RPT_EXPORT_ARRAYS
        call check(rpt_checkpoint_export_local(3, directory // c_null_char, &
            'fortran' // c_null_char, config, c_null_ptr, r) == RPT_OK .and. &
            r%n_rows == 28 * ranks .and. r%n_files == 3, 'export by threads')
    end subroutine

end module checks

program app
    use checks
    implicit none

    type(c_ptr) :: context
    character(200) :: directory, parquet
    integer :: given, error, all_failed

    call get_command_argument(1, directory)
    call get_command_argument(2, parquet)
    call MPI_Init_thread(MPI_THREAD_MULTIPLE, given, error)
    call MPI_Comm_rank(MPI_COMM_WORLD, rank, error)
    call MPI_Comm_size(MPI_COMM_WORLD, ranks, error)
    call look_at_texts()
    context = c_null_ptr
    call check(rpt_context_create_mpi_f(MPI_COMM_NULL, c_null_ptr, &
        RPT_VERSION_NUMBER, context) == RPT_ERR_INVALID, 'no communicator')
    call check(rpt_context_create_mpi_f(MPI_COMM_WORLD, c_null_ptr, &
        RPT_VERSION_NUMBER, context) == RPT_OK, 'a context')
    call look_at_groups(context)
    call look_at_collectives(rpt_group_world(context))
    call look_at_checkpoints(rpt_group_world(context), trim(directory))
    if (rank == 0) call look_at_catalogs(trim(directory))
    if (parquet == 'yes') then
        call look_at_exports(rpt_group_world(context), trim(directory))
        if (rank == 0) call look_at_local_exports(trim(directory))
    else
        call check(rpt_f_export(rpt_group_world(context), trim(directory), &
            'fortran', trim(directory) // '/all') == RPT_ERR_UNSUPPORTED, &
            'export without Parquet')
    end if
    call rpt_context_destroy(context)
    call MPI_Reduce(n_failed, all_failed, 1, MPI_INTEGER, MPI_SUM, 0, &
        MPI_COMM_WORLD, error)
    if (rank == 0) print '(a, i0)', 'failed checks: ', all_failed
    call MPI_Finalize(error)
end program
