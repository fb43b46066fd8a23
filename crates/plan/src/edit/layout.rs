//! Where the entries of a plan's tables stand in its text.

use std::ops::Range;

use toml_edit::{Document, Item, Key, TableLike};

/// A text and the tree over it, every node of which knows its bytes.
pub(super) struct Layout<'t> {
    pub(super) text: &'t str,
    /// Bytes of the text before the document: a byte-order mark.
    pub(super) skipped: usize,
    document: Document<&'t str>,
}

/// How the entries of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// There is no such table.
    Absent,
    /// Each under a header of its own, `[teams.youth]`.
    Headers,
    /// As keys under the table's header, `[teams]`.
    Keys,
    /// With dots or in one pair of braces.
    Packed,
}

/// One entry of a table: a line, a team.
pub(super) struct Entry<'l> {
    pub(super) key: &'l Key,
    pub(super) item: &'l Item,
    pub(super) blocks: Vec<Block>,
}

/// A part of an entry that stands in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The header with its brackets, if it has one.
    pub(super) header: Option<Range<usize>>,
    /// From the first character of its first line to after its last line, without comments round it.
    pub(super) lines: Range<usize>,
}

impl<'t> Layout<'t> {
    /// Takes the text apart, or says what keeps it together.
    pub(super) fn of(text: &'t str) -> Result<Layout<'t>, String> {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document = Document::parse(rest).map_err(|fault| fault.message().to_owned())?;
        Ok(Layout { text: rest, skipped: text.len() - rest.len(), document })
    }

    /// What lines end with.
    pub(super) fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    pub(super) fn form(&self, section: &str) -> Form {
        match self.document.as_table().get(section) {
            None | Some(Item::None) => Form::Absent,
            Some(Item::Table(table)) if table.is_dotted() => Form::Packed,
            Some(Item::Table(table)) => {
                let last = self.entries(section).into_iter().max_by_key(|entry| entry.end());
                match last {
                    Some(entry) if entry.has_header() => Form::Headers,
                    Some(_) => Form::Keys,
                    None if table.is_implicit() => Form::Headers,
                    None => Form::Keys,
                }
            }
            Some(Item::Value(_) | Item::ArrayOfTables(_)) => Form::Packed,
        }
    }

    pub(super) fn entry(&self, section: &str, id: &str) -> Option<Entry<'_>> {
        let table = self.document.as_table().get(section)?.as_table()?;
        let (key, item) = table.get_key_value(id)?;
        Some(self.entry_of(key, item))
    }

    /// Everything in a table, if its entries stand apart.
    pub(super) fn entries(&self, section: &str) -> Vec<Entry<'_>> {
        let table = self.document.as_table().get(section).and_then(Item::as_table);
        let entries = table.into_iter().flat_map(|table| {
            let keys = table.iter().filter_map(|(key, _)| table.get_key_value(key));
            keys.map(|(key, item)| self.entry_of(key, item))
        });
        entries.collect()
    }

    /// Where a table's own header ends, with its line.
    pub(super) fn header_end(&self, section: &str) -> Option<usize> {
        let table = self.document.as_table().get(section)?.as_table()?;
        table.span().map(|header| self.line_end(header.end))
    }

    fn entry_of<'l>(&'l self, key: &'l Key, item: &'l Item) -> Entry<'l> {
        let mut blocks = Vec::new();
        self.collect(key, item, &mut blocks);
        blocks.sort_by_key(|block| block.lines.start);
        Entry { key, item, blocks }
    }

    /// The blocks of an item; what stands under a header belongs to the header's block.
    fn collect(&self, key: &Key, item: &Item, blocks: &mut Vec<Block>) {
        match item {
            Item::None => {}
            Item::Value(value) => {
                if let (Some(key), Some(value)) = (key.span(), value.span()) {
                    let lines = self.line_start(key.start)..self.line_end(value.end);
                    blocks.push(Block { header: None, lines });
                }
            }
            Item::Table(table) => self.collect_table(table.span(), table, blocks),
            Item::ArrayOfTables(tables) => {
                for table in tables {
                    self.collect_table(table.span(), table, blocks);
                }
            }
        }
    }

    fn collect_table(&self, header: Option<Range<usize>>, table: &dyn TableLike, blocks: &mut Vec<Block>) {
        let mut inner = Vec::new();
        for (key, item) in table.iter() {
            if let Some(key) = table.key(key) {
                self.collect(key, item, &mut inner);
            }
        }
        let Some(header) = header else {
            blocks.append(&mut inner);
            return;
        };
        let (own, apart): (Vec<Block>, Vec<Block>) =
            inner.into_iter().partition(|block| block.header.is_none());
        let end = own.iter().map(|block| block.lines.end).max().unwrap_or_else(|| self.line_end(header.end));
        let lines = self.line_start(header.start)..end;
        blocks.push(Block { header: Some(header), lines });
        blocks.extend(apart);
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// After the end of the line in which a byte stands.
    pub(super) fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// A block with the comments that stand close to it: those right above, and those right below unless something
    /// else follows them without a blank line.
    pub(super) fn with_comments(&self, block: &Block) -> Range<usize> {
        let mut start = block.lines.start;
        while start > 0 {
            let above = self.line_start(start - 1);
            if !self.text[above..start].trim_start().starts_with('#') {
                break;
            }
            start = above;
        }
        let mut end = block.lines.end;
        if block.header.is_some() {
            let mut at = end;
            while self.text[at..].trim_start_matches([' ', '\t']).starts_with('#') {
                at = self.line_end(at);
            }
            let next = self.text[at..self.line_end(at)].trim();
            if next.is_empty() {
                end = at;
            }
        }
        start..end
    }
}

impl Entry<'_> {
    pub(super) fn end(&self) -> usize {
        self.blocks.iter().map(|block| block.lines.end).max().unwrap_or_default()
    }

    pub(super) fn has_header(&self) -> bool {
        self.blocks.iter().any(|block| block.header.is_some())
    }
}
