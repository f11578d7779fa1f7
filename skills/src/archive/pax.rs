//! PAX extended headers: the one way to write a path that USTAR cannot hold.
//!
//! Records are `LENGTH SP KEY=VALUE LF`, the length counting itself. Of all keys `path` and `mtime`
//! are read (Python writes `mtime`, and it is ignored like every time). `size`, links, sparse maps
//! and vendors' keys change what an entry *is* for one reader and not for the next: refused.

use crate::refusal::Refusal;

/// Largest block of records in bytes: a path of 240 bytes and a time fit three times over.
pub(super) const PAX_BYTES_MAX: u64 = 1_024;

/// Reads the records before an entry and gives its path, if they have one.
pub(super) fn parse(records: &[u8]) -> Result<Option<String>, Refusal> {
    let (mut path, mut mtime) = (None, None);
    let mut rest = records;
    while !rest.is_empty() {
        let (Record { key, value }, more) = record(rest)?;
        let slot = match key {
            b"path" => &mut path,
            b"mtime" if is_time(value) => &mut mtime,
            b"mtime" => return Err(malformed("its time is not a number")),
            _ => return Err(refused_key(key)),
        };
        let value = std::str::from_utf8(value).map_err(|_| {
            Refusal::new("archive-not-utf8", "a path in the archive is not UTF-8").hint("rename the file")
        })?;
        if value.is_empty() || value.contains('\0') {
            return Err(malformed("a value is empty or has a NUL"));
        }
        if slot.replace(value.to_owned()).is_some() {
            return Err(malformed("a key appears twice"));
        }
        rest = more;
    }
    if path.is_none() && mtime.is_none() {
        return Err(malformed("it is empty"));
    }
    Ok(path)
}

/// The block of records for one path.
pub(super) fn format(path: &str) -> Vec<u8> {
    let tail = format!(" path={path}\n");
    let mut length = tail.len();
    while length != tail.len() + length.to_string().len() {
        length = tail.len() + length.to_string().len();
    }
    format!("{length}{tail}").into_bytes()
}

struct Record<'a> {
    key: &'a [u8],
    value: &'a [u8],
}

/// Splits off the first record.
fn record(bytes: &[u8]) -> Result<(Record<'_>, &[u8]), Refusal> {
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let length = std::str::from_utf8(&bytes[..digits]).ok().and_then(|text| text.parse::<usize>().ok());
    let (Some(length), false, Some(b' ')) = (length, bytes[0] == b'0', bytes.get(digits)) else {
        return Err(malformed("a record's length is not a plain number"));
    };
    let Some((record, rest)) = bytes.split_at_checked(length) else {
        return Err(malformed("a record is longer than the header"));
    };
    let body = record.get(digits + 1..).and_then(|body| body.strip_suffix(b"\n"));
    let Some((body, equals)) = body.and_then(|body| Some((body, body.iter().position(|&b| b == b'=')?))) else {
        return Err(malformed("a record is not `KEY=VALUE` and a line feed"));
    };
    Ok((Record { key: &body[..equals], value: &body[equals + 1..] }, rest))
}

fn is_time(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"-").unwrap_or(value);
    let mut parts = value.splitn(2, |&b| b == b'.');
    parts.all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
}

fn refused_key(key: &[u8]) -> Refusal {
    let code = match key {
        b"size" => "archive-pax-size",
        _ if key.starts_with(b"GNU.sparse.") => "archive-sparse",
        _ => "archive-pax-key",
    };
    let shown = &key[..key.len().min(40)];
    Refusal::new(
        code,
        format!("a PAX header sets `{}`, only `path` and `mtime` are read alike by everybody", shown.escape_ascii()),
    )
    .hint("GNU tar leaves them out with `--format=ustar`")
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("archive-pax-malformed", format!("a PAX header cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(records: &[u8], code: &str) {
        assert_eq!(parse(records).expect_err(code).code, code, "{}", records.escape_ascii());
    }

    #[test]
    fn what_is_formatted_parses_back() {
        for length in (1..=240).filter(|length| length % 7 == 0 || (85..=95).contains(length)) {
            let path = "x".repeat(length);
            assert_eq!(parse(&format(&path)), Ok(Some(path)));
        }
    }

    #[test]
    fn a_time_is_read_and_ignored() {
        assert_eq!(parse(b"20 mtime=1763812345\n"), Ok(None));
        assert_eq!(parse(b"22 mtime=-1763812.3455\n"), Err(malformed("a record is not `KEY=VALUE` and a line feed")));
        assert_eq!(parse(b"23 mtime=-1763812.3455\n"), Ok(None));
        refuses(b"11 mtime=x\n", "archive-pax-malformed");
        refuses(b"12 mtime=1.\n", "archive-pax-malformed");
    }

    #[test]
    fn keys_that_change_what_an_entry_is_are_refused() {
        refuses(b"12 size=100\n", "archive-pax-size");
        refuses(b"14 linkpath=a\n", "archive-pax-key");
        refuses(b"9 atime=1\n", "archive-pax-malformed");
        refuses(b"11 atime=1\n", "archive-pax-key");
        refuses(b"22 GNU.sparse.major=1\n", "archive-sparse");
    }

    #[test]
    fn record_lengths_are_exact() {
        for bad in [
            &b""[..],
            b"10 path=a",
            b"8 path=a\n",
            b"11 path=a\n",
            b"010 path=a\n",
            b"+10 path=a\n",
            b"10\tpath=a\n",
            b"99999999999999999999999 path=a\n",
            b"9 path=\n",
            b"9 patha\n\n",
            b"3 \n",
            b"1",
            b"x",
        ] {
            refuses(bad, "archive-pax-malformed");
        }
        assert_eq!(parse(b"10 path=a\n"), Ok(Some("a".to_owned())));
    }

    #[test]
    fn a_key_counts_once() {
        refuses(b"10 path=a\n10 path=b\n", "archive-pax-malformed");
    }

    #[test]
    fn a_path_that_is_not_text_is_refused() {
        refuses(b"10 path=\xff\n", "archive-not-utf8");
        refuses(b"11 path=a\0\n", "archive-pax-malformed");
    }
}
