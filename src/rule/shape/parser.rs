//! Reading the notation.

use super::ShapeError;
use super::byte_set::ByteSet;
use super::node::Node;

/// Parses the notation.
pub fn parse(text: &str) -> Result<Node, ShapeError> {
    let mut parser = Parser { text: text.as_bytes(), at: 0 };
    let root = parser.alt()?;
    parser.space();
    if parser.at < parser.text.len() {
        return Err(parser.error("expected the end"));
    }
    Ok(root)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn alt(&mut self) -> Result<Node, ShapeError> {
        let mut branches = vec![self.seq()?];
        while self.eat(b'|') {
            branches.push(self.seq()?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Alt(branches) })
    }

    fn seq(&mut self) -> Result<Node, ShapeError> {
        let mut items = Vec::new();
        loop {
            self.space();
            match self.text.get(self.at) {
                None | Some(b')' | b'|' | b'>') => break,
                Some(_) => items.push(self.item()?),
            }
        }
        match items.len() {
            0 => Err(self.error("expected a literal, a class or a group")),
            1 => Ok(items.remove(0)),
            _ => Ok(Node::Seq(items)),
        }
    }

    fn item(&mut self) -> Result<Node, ShapeError> {
        let atom = self.atom()?;
        match self.text.get(self.at) {
            Some(b'?') => {
                self.at += 1;
                Ok(Node::Repeat { node: Box::new(atom), min: 0, max: Some(1) })
            }
            Some(b'{') => {
                self.at += 1;
                let min = self.number()?;
                let max = if !self.eat(b',') {
                    Some(min)
                } else if self.peek() == Some(b'}') {
                    None
                } else {
                    Some(self.number()?)
                };
                self.expect(b'}')?;
                if max.is_some_and(|max| max < min || max == 0) {
                    return Err(self.error("a repetition needs an upper bound above its lower bound"));
                }
                Ok(Node::Repeat { node: Box::new(atom), min, max })
            }
            _ => Ok(atom),
        }
    }

    fn atom(&mut self) -> Result<Node, ShapeError> {
        match self.peek() {
            Some(b'"') => Ok(Node::Literal(self.string()?)),
            Some(b'(') => self.group(b')'),
            Some(b'<') => Ok(Node::Secret(Box::new(self.group(b'>')?))),
            Some(byte) if byte.is_ascii_uppercase() => self.named(),
            _ => Err(self.error("expected a literal, a class or a group")),
        }
    }

    fn group(&mut self, close: u8) -> Result<Node, ShapeError> {
        self.at += 1;
        let inner = self.alt()?;
        self.expect(close)?;
        Ok(inner)
    }

    fn named(&mut self) -> Result<Node, ShapeError> {
        let start = self.at;
        while self
            .text
            .get(self.at)
            .is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
        {
            self.at += 1;
        }
        let name = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        match name.as_str() {
            "ONEOF" => {
                self.expect(b'(')?;
                self.space();
                let set = ByteSet::of(&self.string()?);
                self.expect(b')')?;
                Ok(Node::Class(set))
            }
            "UUID" => Ok(uuid(ByteSet::named("LOWER_HEX").expect("a class"))),
            "ANYUUID" => Ok(uuid(ByteSet::named("HEX").expect("a class"))),
            "EOL" => Ok(Node::Seq(vec![
                Node::Repeat { node: Box::new(Node::Literal(vec![b'\r'])), min: 0, max: Some(1) },
                Node::Literal(vec![b'\n']),
            ])),
            _ => ByteSet::named(&name).map(Node::Class).ok_or_else(|| {
                self.at = start;
                self.error(&format!("unknown class `{name}`"))
            }),
        }
    }

    fn string(&mut self) -> Result<Vec<u8>, ShapeError> {
        if self.text.get(self.at) != Some(&b'"') {
            return Err(self.error("expected a literal in double quotes"));
        }
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match (self.text.get(self.at), self.text.get(self.at + 1)) {
                (Some(b'"'), _) if !out.is_empty() => {
                    self.at += 1;
                    return Ok(out);
                }
                (Some(b'"'), _) => return Err(self.error("a literal must not be empty")),
                (Some(b'\\'), Some(&byte @ (b'"' | b'\\'))) => {
                    out.push(byte);
                    self.at += 2;
                }
                (Some(b'\\'), _) => return Err(self.error("only \\\" and \\\\ are escapes")),
                (Some(&byte), _) => {
                    out.push(byte);
                    self.at += 1;
                }
                (None, _) => return Err(self.error("the literal has no closing quote")),
            }
        }
    }

    fn number(&mut self) -> Result<u32, ShapeError> {
        /// More copies than this make an automaton too large to be worth it.
        const MOST: u32 = 8192;
        self.space();
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.text[start..self.at]).expect("digits are ASCII");
        digits
            .parse()
            .ok()
            .filter(|&number| number <= MOST)
            .ok_or_else(|| self.error(&format!("expected a number of at most {MOST}")))
    }

    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), ShapeError> {
        if self.eat(byte) { Ok(()) } else { Err(self.error(&format!("expected `{}`", char::from(byte)))) }
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn error(&self, message: &str) -> ShapeError {
        ShapeError { message: message.to_owned(), column: self.at + 1 }
    }
}

fn uuid(digit: ByteSet) -> Node {
    let run = |n| Node::Repeat { node: Box::new(Node::Class(digit)), min: n, max: Some(n) };
    let dash = || Node::Literal(vec![b'-']);
    Node::Seq(vec![run(8), dash(), run(4), dash(), run(4), dash(), run(4), dash(), run(12)])
}
