! png.f90 - png.h in Fortran: the same picture, byte for byte
!
! A PNG is chunks with a checksum (CRC-32), its pixels a stream of zlib's format
! with an Adler-32, here not compressed; see there.  Bytes are characters, since
! Fortran has no unsigned numbers; sums have 64 bits, to be positive.
module png
    implicit none
    private
    public :: png_write

    integer, parameter :: long = selected_int_kind(18)
    integer(long), parameter :: ones = 4294967295_long
    integer(long), parameter :: polynomial = 3988292384_long ! 0xedb88320

contains

    ! A number as four bytes, the highest one first.
    pure function u32(number) result(bytes)
        integer(long), intent(in) :: number
        character(4) :: bytes
        integer :: i

        do i = 1, 4
            bytes(i:i) = char(ibits(number, 32 - 8 * i, 8))
        end do
    end function

    ! As two bytes, the lowest one first: so zlib has lengths.
    pure function u16(number) result(bytes)
        integer, intent(in) :: number
        character(2) :: bytes

        bytes = char(ibits(number, 0, 8)) // char(ibits(number, 8, 8))
    end function

    pure function crc(bytes)
        character(*), intent(in) :: bytes
        integer(long) :: crc
        integer :: i, bit

        crc = ones
        do i = 1, len(bytes)
            crc = ieor(crc, int(ichar(bytes(i:i)), long))
            do bit = 1, 8
                crc = merge(ieor(ishft(crc, -1), polynomial), &
                    ishft(crc, -1), btest(crc, 0))
            end do
        end do
        crc = ieor(crc, ones)
    end function

    pure function adler(a, b, bytes) result(sums)
        integer(long), intent(in) :: a, b
        character(*), intent(in) :: bytes
        integer(long) :: sums(2)
        integer :: i

        sums = [a, b]
        do i = 1, len(bytes)
            sums(1) = mod(sums(1) + ichar(bytes(i:i)), 65521_long)
            sums(2) = mod(sums(2) + sums(1), 65521_long)
        end do
    end function

    pure function chunk(name, bytes)
        character(4), intent(in) :: name
        character(*), intent(in) :: bytes
        character(len(bytes) + 12) :: chunk

        chunk = u32(int(len(bytes), long)) // name // bytes // &
            u32(crc(name // bytes))
    end function

    ! Colours between five given ones.
    pure function palette() result(colours)
        character(256 * 3) :: colours
        integer, parameter :: given(3, 5) = reshape([0, 0, 4, 87, 16, 110, &
            188, 55, 84, 249, 142, 9, 252, 255, 220], [3, 5])
        integer :: i, c, below, part

        do i = 0, 255
            below = min(i * 4 / 255, 3)
            part = i * 4 - below * 255
            do c = 1, 3
                colours(3 * i + c:3 * i + c) = char(given(c, below + 1) + &
                    (given(c, below + 2) - given(c, below + 1)) * part / 255)
            end do
        end do
    end function

    ! A stored block for each row of pixels, which begins with its filter: none.
    pure function stream(pixels) result(bytes)
        integer, intent(in) :: pixels(:, :)
        character(:), allocatable :: bytes
        character(size(pixels, 1) + 1) :: row
        integer(long) :: sums(2)
        integer :: x, y, at, n

        n = len(row)
        allocate (character(6 + size(pixels, 2) * (5 + n)) :: bytes)
        bytes(1:2) = char(120) // char(1)
        at = 2
        sums = [1, 0]
        do y = 1, size(pixels, 2)
            row(1:1) = char(0)
            do x = 1, size(pixels, 1)
                row(x + 1:x + 1) = char(pixels(x, y))
            end do
            sums = adler(sums(1), sums(2), row)
            bytes(at + 1:at + 5 + n) = &
                char(merge(1, 0, y == size(pixels, 2))) // u16(n) // &
                u16(not(n)) // row
            at = at + 5 + n
        end do
        bytes(at + 1:) = u32(65536 * sums(2) + sums(1))
    end function

    ! Numbers 0 ... 255, up to 65534 a row; y grows downwards.  error is 0, or
    ! else why says more.
    subroutine png_write(path, pixels, error, why)
        character(*), intent(in) :: path
        integer, intent(in) :: pixels(:, :)
        integer, intent(out) :: error
        character(*), intent(inout) :: why
        character(:), allocatable :: head, bytes
        integer(long) :: length
        integer :: unit

        ! 8 bits a pixel, which are numbers of colours.
        head = u32(size(pixels, 1, long)) // u32(size(pixels, 2, long)) // &
            char(8) // char(3) // repeat(char(0), 3)
        bytes = char(137) // 'PNG' // char(13) // char(10) // char(26) // &
            char(10) // chunk('IHDR', head) // chunk('PLTE', palette()) // &
            chunk('IDAT', stream(pixels)) // chunk('IEND', '')
        open (newunit=unit, file=path, access='stream', form='unformatted', &
            action='write', status='replace', iostat=error, iomsg=why)
        if (error == 0) write (unit, iostat=error, iomsg=why) bytes
        if (error /= 0) return
        close (unit)
        ! Not every compiler's library tells when the end of a file could not
        ! be written.
        inquire (file=path, size=length)
        if (length == len(bytes)) return
        error = 1
        why = 'it was not written whole'
    end subroutine

end module png
