//! Numbers as hexadecimal digits, for what is written once or twice for every request.
//!
//! **Invariant:** as many digits as there is room for, lower-case, with zeros in front.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Fills `out` with the lowest digits of a number.
pub(crate) fn write_hex(out: &mut [u8], mut number: u128) {
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[(number & 0xf) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_formatter_writes() {
        for number in [0, 1, 0xabc, u128::MAX, 0x0123_4567_89ab_cdef] {
            let mut digits = [0; 32];
            write_hex(&mut digits, number);
            assert_eq!(digits[..], *format!("{number:032x}").as_bytes());
        }
    }

    #[test]
    fn what_has_no_room_is_left_out() {
        let mut digits = [0; 2];
        write_hex(&mut digits, 0xabc);
        assert_eq!(&digits, b"bc");
    }
}
