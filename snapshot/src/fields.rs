//! Takes fixed-size fields off the front of a byte string, one after the other; never reads past its end.
#![forbid(unsafe_code)]

/// The bytes not yet taken.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// An SSH `string` (RFC 4251, section 5): a big-endian length of four bytes, then that many bytes.
    pub(crate) fn ssh_string(&mut self) -> Option<&'a [u8]> {
        let length = self.array().map(u32::from_be_bytes)?;
        self.take(usize::try_from(length).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn takes_in_order_and_stops_at_the_end() {
        let mut fields = Fields(&[1, 2, 0, 3, 0, 0, 0, 9]);
        assert_eq!(
            (fields.u8(), fields.u16(), fields.u32()),
            (Some(1), Some(2), Some(3))
        );
        assert_eq!(fields.u16(), None);
        assert_eq!(
            (fields.u8(), fields.u8(), fields.take(0)),
            (Some(9), None, Some(&[][..]))
        );
    }

    #[test]
    fn an_ssh_string_longer_than_the_rest_is_none() {
        assert_eq!(Fields(&[0, 0, 0, 2, 7, 8]).ssh_string(), Some(&[7, 8][..]));
        assert_eq!(Fields(&[0, 0, 0, 3, 7, 8]).ssh_string(), None);
        assert_eq!(Fields(&[255, 255, 255, 255, 7]).ssh_string(), None);
    }
}
