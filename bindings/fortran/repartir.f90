! repartir.f90 - module repartir: librepartir for Fortran, and five helpers
!
! Compile it once with your program, as any of its sources:
!
!   mpifort -c $(pkg-config --cflags repartir) \
!       $(pkg-config --variable=includedir repartir)/repartir.f90
!
! or, in a program of one file, say include 'repartir.f90' in its first line.
! There is no .mod file in an installed librepartir, since each compiler has
! another kind of these.
module repartir
    use, intrinsic :: iso_c_binding
    implicit none
    public

    include 'repartir.f03'

contains

    ! A text of the library, such as that of rpt_last_error_text().
    function rpt_f_text(text) result(copy)
        type(c_ptr), intent(in) :: text
        character(:), allocatable :: copy
        character(kind=c_char), pointer :: c(:)
        integer :: i, n

        interface
            function rpt_f_strlen(text) bind(C, name='strlen')
                import
                type(c_ptr), value :: text
                integer(c_size_t) :: rpt_f_strlen
            end function
        end interface

        n = 0
        if (c_associated(text)) n = int(rpt_f_strlen(text))
        allocate (character(n) :: copy)
        if (n == 0) return
        call c_f_pointer(text, c, [n])
        do i = 1, n
            copy(i:i) = c(i)
        end do
    end function

    ! A path that the library gave, which is released: '' if it is NULL.
    function rpt_f_path(path) result(copy)
        type(c_ptr), intent(inout) :: path
        character(:), allocatable :: copy

        interface
            subroutine rpt_f_free(memory) bind(C, name='free')
                import
                type(c_ptr), value :: memory
            end subroutine
        end interface

        copy = rpt_f_text(path)
        call rpt_f_free(path)
        path = c_null_ptr
    end function

    ! Whether it has failed.
    elemental function rpt_f_failed(status) result(failed)
        integer(c_int), intent(in) :: status
        logical :: failed

        failed = status < RPT_OK
    end function

    ! rpt_checkpoint_add_array() in Fortran's order: the first dimension runs
    ! fastest, here and in the array.  start and memory_start count the elements
    ! before the block, from 0.  In the file the dimensions are reversed:
    ! a(nx, ny) is [ny][nx] for HDF5 and C.
    !
    !   dims          extent of the whole array
    !   start, count  this rank's block in it
    !   data          c_loc(a(...)) of the first element in memory
    !   memory_dims, memory_start  extent of the memory, where it has more than
    !                 the block, and where the block begins in it
    !
    ! All of them have an element for each dimension, 1 to RPT_CHECKPOINT_DIMS;
    ! else it is RPT_ERR_INVALID, and the message names the array's dimensions
    ! as 0.
    function rpt_f_add_array(checkpoint, name, type, dims, start, count, data, &
            memory_dims, memory_start) result(status)
        type(c_ptr), intent(in) :: checkpoint, data
        character(*), intent(in) :: name
        integer(c_int), intent(in) :: type
        integer(c_int64_t), intent(in) :: dims(:), start(:), count(:)
        integer(c_int64_t), intent(in), optional :: memory_dims(:)
        integer(c_int64_t), intent(in), optional :: memory_start(:)
        integer(c_int) :: status
        character(len(name) + 1, kind=c_char), target :: c_name
        type(rpt_checkpoint_array) :: array
        integer :: n

        n = size(dims)
        if (size(start) /= n .or. size(count) /= n) n = 0
        if (present(memory_dims)) then
            if (size(memory_dims) /= n) n = 0
        end if
        if (present(memory_start)) then
            if (size(memory_start) /= n) n = 0
        end if
        if (n > RPT_CHECKPOINT_DIMS) n = 0
        c_name = name // c_null_char
        array%size = c_sizeof(array)
        array%name = c_loc(c_name)
        array%type = type
        array%n_dims = int(n, c_int)
        array%dims(:n) = dims(n:1:-1)
        array%start(:n) = start(n:1:-1)
        array%count(:n) = count(n:1:-1)
        if (present(memory_dims)) array%memory_dims(:n) = memory_dims(n:1:-1)
        if (present(memory_start)) array%memory_start(:n) = memory_start(n:1:-1)
        array%data = data
        status = rpt_checkpoint_add_array(checkpoint, array)
    end function

    ! rpt_checkpoint_export() with texts of Fortran.
    !
    !   output      the folder that is made
    !   checkpoint  which one; without it the newest
    !   names       of arrays, values and blobs, without blanks at their ends;
    !               without them all
    !   config      what else is to be said, such as config%flags; its texts are
    !               not looked at
    !   exported    what was written
    function rpt_f_export(group, directory, task, output, checkpoint, names, &
            config, exported) result(status)
        type(c_ptr), intent(in) :: group
        character(*), intent(in) :: directory, task, output
        character(*), intent(in), optional :: checkpoint, names(:)
        type(rpt_export_config_t), intent(in), optional :: config
        type(rpt_export_result_t), intent(inout), optional :: exported
        integer(c_int) :: status
        character(len(output) + 1, kind=c_char), target :: c_output
        character(:, kind=c_char), allocatable, target :: c_checkpoint
        character(kind=c_char), allocatable, target :: c_names(:, :)
        type(c_ptr), allocatable, target :: list(:)
        type(rpt_export_config_t) :: all
        integer :: i, k

        if (present(config)) all = config
        all%size = c_sizeof(all)
        c_output = output // c_null_char
        all%output = c_loc(c_output)
        all%checkpoint = c_null_ptr
        if (present(checkpoint)) then
            c_checkpoint = checkpoint // c_null_char
            all%checkpoint = c_loc(c_checkpoint)
        end if
        all%names = c_null_ptr
        if (present(names)) then
            allocate (list(size(names) + 1))
            list(size(list)) = c_null_ptr
            allocate (c_names(len(names) + 1, size(names)), source=c_null_char)
            do i = 1, size(names)
                do k = 1, len_trim(names(i))
                    c_names(k, i) = names(i)(k:k)
                end do
                list(i) = c_loc(c_names(1, i))
            end do
            all%names = c_loc(list)
        end if
        status = rpt_checkpoint_export(group, directory // c_null_char, &
            task // c_null_char, all, exported)
    end function

end module repartir
