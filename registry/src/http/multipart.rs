//! `multipart/form-data` as a publish has it: pairs of `bundle` and `archive`, read while they arrive.
//!
//! A reader of our own, because a general one looked for the end of a part's head from its beginning
//! whenever bytes came: one body of 40 MB cost ten seconds of a core that others are served by. Here a byte is
//! looked at once, a head has an end, and each part lies in memory of exactly its own size. What only a general
//! reader needs (text before the first boundary or after the last, blanks after a boundary, parts in any
//! order) is refused. The bodies of `reqwest`, `curl` and browsers are read.

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memmem, memrchr};
use skills::Refusal;
use skills::bundle::BUNDLE_BYTES_MAX;
use skills::limits::ARCHIVE_BYTES_MAX;

use crate::admit::Upload;

/// Largest head of a part, in bytes: a `Content-Disposition`, a `Content-Type` and a long file name.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Longest boundary, in characters (RFC 2046 §5.1.1).
const BOUNDARY_CHARS_MAX: usize = 70;

/// Most pairs in one publish: a whole collection, and still a bounded transaction.
const UPLOADS_MAX: usize = 1_024;

/// Where in the body the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// At its beginning, where the first boundary must be.
    Start,
    /// After a boundary.
    Boundary,
    /// In the head of a part, whose end is not among the first `searched` bytes.
    Head { searched: usize },
    /// In the content of a part.
    Content,
    /// After the closing boundary.
    End,
}

/// Reads a body piece by piece, however it was cut.
#[derive(Debug)]
pub(super) struct Reader {
    /// What stands between two parts: a line end, `--` and the boundary.
    delimiter: memmem::Finder<'static>,
    place: Place,
    /// What has come and is not understood yet: never more than a piece and the head of a part.
    waiting: BytesMut,
    content: Vec<u8>,
    bundle: Option<Bytes>,
    uploads: Vec<Upload>,
}

impl Reader {
    /// A reader for a body with this `Content-Type`.
    pub(super) fn new(content_type: &str) -> Result<Self, Refusal> {
        let delimiter = format!("\r\n--{}", boundary(content_type)?);
        Ok(Self {
            delimiter: memmem::Finder::new(&delimiter).into_owned(),
            place: Place::Start,
            // The first boundary begins the body; with a line end before it, it is like all others.
            waiting: BytesMut::from("\r\n"),
            content: Vec::new(),
            bundle: None,
            uploads: Vec::new(),
        })
    }

    /// Takes the next piece of the body.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        self.waiting.extend_from_slice(piece);
        while self.step()? {}
        Ok(())
    }

    /// The pairs, when the body has ended.
    pub(super) fn finish(self) -> Result<Vec<Upload>, Refusal> {
        if self.place != Place::End || self.waiting[..] == b"\r"[..] {
            return Err(malformed("it ends before its closing boundary does"));
        }
        if self.bundle.is_some() {
            return Err(malformed("the last `bundle` has no `archive` after it"));
        }
        if self.uploads.is_empty() {
            return Err(malformed("there is no part: expected pairs of `bundle` and `archive`"));
        }
        Ok(self.uploads)
    }

    /// Understands some of what waits; `false` when more must come first.
    fn step(&mut self) -> Result<bool, Refusal> {
        match self.place {
            Place::Start => self.start(),
            Place::Boundary => self.boundary(),
            Place::Head { searched } => self.head(searched),
            Place::Content => self.content(),
            Place::End if b"\r\n".starts_with(&self.waiting) => Ok(false),
            Place::End => Err(malformed("something stands after its closing boundary")),
        }
    }

    fn start(&mut self) -> Result<bool, Refusal> {
        let delimiter = self.delimiter.needle();
        let seen = self.waiting.len().min(delimiter.len());
        if self.waiting[..seen] != delimiter[..seen] {
            return Err(malformed("it does not begin with the boundary that its Content-Type names"));
        }
        if seen < delimiter.len() {
            return Ok(false);
        }
        self.waiting.advance(seen);
        self.place = Place::Boundary;
        Ok(true)
    }

    fn boundary(&mut self) -> Result<bool, Refusal> {
        self.place = match self.waiting.get(..2) {
            None => return Ok(false),
            Some(b"\r\n") => Place::Head { searched: 0 },
            Some(b"--") => Place::End,
            Some(_) => return Err(malformed("a boundary is followed by neither a line end nor `--`")),
        };
        self.waiting.advance(2);
        Ok(true)
    }

    fn head(&mut self, searched: usize) -> Result<bool, Refusal> {
        const END: &[u8] = b"\r\n\r\n";
        let from = searched.saturating_sub(END.len() - 1);
        let until = self.waiting.len().min(HEAD_BYTES_MAX + END.len());
        match memmem::find(&self.waiting[from..until], END) {
            Some(at) => {
                let head = self.waiting.split_to(from + at);
                self.waiting.advance(END.len());
                self.expect(&part_name(&String::from_utf8_lossy(&head))?)?;
                self.place = Place::Content;
                Ok(true)
            }
            None if until == HEAD_BYTES_MAX + END.len() => {
                Err(malformed(&format!("the head of a part has more than {HEAD_BYTES_MAX} bytes")))
            }
            None => {
                self.place = Place::Head { searched: until };
                Ok(false)
            }
        }
    }

    /// Refuses a part out of its turn.
    fn expect(&self, name: &str) -> Result<(), Refusal> {
        let (expected, _) = self.turn();
        if name != expected {
            return Err(malformed(&format!("expected a part `{expected}`, found `{}`", name.escape_debug())));
        }
        if self.uploads.len() == UPLOADS_MAX {
            return Err(Refusal::new("body-too-large", format!("more than {UPLOADS_MAX} releases in one publish")));
        }
        Ok(())
    }

    /// The name of the part whose turn it is, and its most bytes.
    fn turn(&self) -> (&'static str, u64) {
        match self.bundle {
            None => ("bundle", BUNDLE_BYTES_MAX as u64),
            Some(_) => ("archive", ARCHIVE_BYTES_MAX),
        }
    }

    fn content(&mut self) -> Result<bool, Refusal> {
        let Some(length) = self.delimiter.find(&self.waiting) else {
            let split = begun(self.delimiter.needle(), &self.waiting);
            self.keep(self.waiting.len() - split)?;
            return Ok(false);
        };
        self.keep(length)?;
        self.waiting.advance(self.delimiter.needle().len());
        let content = Bytes::from(std::mem::take(&mut self.content).into_boxed_slice());
        match self.bundle.take() {
            None => self.bundle = Some(content),
            Some(bundle) => self.uploads.push(Upload { bundle, archive: content }),
        }
        self.place = Place::Boundary;
        Ok(true)
    }

    /// Moves so many bytes to the content of the part.
    fn keep(&mut self, length: usize) -> Result<(), Refusal> {
        let (name, most) = self.turn();
        if (self.content.len() + length) as u64 > most {
            return Err(Refusal::new("body-too-large", format!("a part `{name}` has at most {most} bytes")));
        }
        self.content.extend_from_slice(&self.waiting[..length]);
        self.waiting.advance(length);
        Ok(())
    }
}

/// How many bytes at the end may begin the delimiter: all from the last `\r` on, since it has only one.
fn begun(delimiter: &[u8], bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(delimiter.len() - 1)..];
    let last = memrchr(b'\r', tail).map(|at| &tail[at..]);
    last.filter(|last| delimiter.starts_with(last)).map_or(0, <[u8]>::len)
}

/// The boundary that a `Content-Type` names.
fn boundary(content_type: &str) -> Result<String, Refusal> {
    if !kind(content_type).eq_ignore_ascii_case("multipart/form-data") {
        return Err(Refusal::new("media-type-unsupported", "a publish is `multipart/form-data`"));
    }
    let boundary = parameter(content_type, "boundary")?.unwrap_or_default();
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    if boundary.len() > BOUNDARY_CHARS_MAX
        || !boundary.bytes().all(lawful)
        || boundary.trim_end() != boundary
        || boundary.is_empty()
    {
        return Err(malformed("its Content-Type names no boundary of 1 to 70 lawful characters"));
    }
    Ok(boundary)
}

/// The name that the head of a part gives it. Other lines than `Content-Disposition` mean nothing here.
fn part_name(head: &str) -> Result<String, Refusal> {
    let mut name = None;
    for line in head.split("\r\n") {
        let field = line.split_once(':').filter(|(field, _)| is_token(field));
        let (field, value) = field.ok_or_else(|| malformed("a line in the head of a part is not `NAME: VALUE`"))?;
        if line.contains(|c: char| c.is_ascii_control() && c != '\t') {
            return Err(malformed("a control character stands in the head of a part"));
        }
        if !field.eq_ignore_ascii_case("content-disposition") {
            continue;
        }
        if !kind(value).eq_ignore_ascii_case("form-data") || name.is_some() {
            return Err(malformed("a part has not one `Content-Disposition: form-data`"));
        }
        name = Some(parameter(value, "name")?.ok_or_else(|| malformed("a part has no name"))?);
    }
    name.ok_or_else(|| malformed("a part has no `Content-Disposition`"))
}

fn is_token(text: &str) -> bool {
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(lawful)
}

/// What stands before the parameters: the `form-data` of `form-data; name="x"`.
fn kind(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// A parameter by its name, which may be there once.
fn parameter(value: &str, wanted: &str) -> Result<Option<String>, Refusal> {
    let unreadable = || malformed("a parameter of a header is not `NAME=VALUE`");
    let mut found = None;
    let mut rest = value.split_once(';').map(|(_, rest)| rest);
    while let Some(text) = rest {
        let (name, after) = text.split_once('=').ok_or_else(unreadable)?;
        let (value, left) = parameter_value(after).ok_or_else(unreadable)?;
        if name.trim().eq_ignore_ascii_case(wanted) && found.replace(value).is_some() {
            return Err(malformed(&format!("a header says `{wanted}` twice")));
        }
        rest = left;
    }
    Ok(found)
}

/// A value, quoted or not, and what follows its semicolon.
fn parameter_value(text: &str) -> Option<(String, Option<&str>)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').map_or((text, None), |(value, rest)| (value, Some(rest)));
        return Some((value.trim_end().to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => break,
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
    match characters.as_str().trim_start() {
        "" => Some((value, None)),
        after => after.strip_prefix(';').map(|rest| (value, Some(rest))),
    }
}

pub(super) fn malformed(why: &str) -> Refusal {
    Refusal::new("multipart-malformed", format!("the publish cannot be read: {why}"))
}

#[cfg(test)]
mod tests;
