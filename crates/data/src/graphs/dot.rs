//! Graphviz files as applications.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::CharIndices;

use sim::graph::{Application, ApplicationError, GraphEdge, GraphTask, LayerKind, UnknownLayerKind};
use sim::units::bytes_from_mb;

/// The deepest nesting of subgraphs.
const MAX_DEPTH: usize = 64;

/// The application of a directed graph in the language DOT of Graphviz.
///
/// | attribute of a node | meaning |
/// |---|---|
/// | `megacycles` | 10^6 instructions; left out: the bytes that are sent times `instructions_per_byte` |
/// | `send_mb`, or `size` in bytes | what is sent where whole tasks are sent |
/// | `result_mb`, or `expect_size` in bytes | what comes back there |
/// | `weights_mb` | what is read from memory |
/// | `kind` | what kind of layer it is |
/// | `pinned` | the only place that may run it |
///
/// Edges have `mb`, or `size` in bytes. The attributes in bytes are those of the graphs of MRLCO. All others are drawing
/// instructions and are ignored, as are ports; subgraphs group nodes and nothing else.
///
/// # Errors
/// If the text is no directed graph, an attribute is no number, a node has neither `megacycles` nor bytes to compute with,
/// or nodes and edges make no application.
pub fn application_from_dot(text: &str, instructions_per_byte: Option<f64>) -> Result<Application, DotError> {
    let mut parser = Parser::new(text);
    let graph = parser.graph()?;
    let tasks = graph.nodes.iter().map(|node| node.task(instructions_per_byte)).collect::<Result<Vec<_>, _>>()?;
    let edge = |edge: &Edge| {
        let bytes = size(&edge.attributes, "mb", "size", &|| graph.name_of(edge))?.unwrap_or(0.0);
        Ok(GraphEdge { from: edge.from as u32, to: edge.to as u32, bytes })
    };
    let edges = graph.edges.iter().map(edge).collect::<Result<Vec<_>, DotError>>()?;
    Ok(Application::new(tasks, edges)?)
}

/// Attributes by name.
type Attributes = HashMap<String, String>;

struct Node {
    name: String,
    attributes: Attributes,
}

struct Edge {
    from: usize,
    to: usize,
    attributes: Attributes,
}

#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
    positions: HashMap<String, usize>,
    edges: Vec<Edge>,
}

impl Graph {
    /// The position of a node, which is new if the name is; a new node has the default attributes.
    fn node(&mut self, name: String, defaults: &Attributes) -> usize {
        let next = self.nodes.len();
        *self.positions.entry(name).or_insert_with_key(|name| {
            self.nodes.push(Node { name: name.clone(), attributes: defaults.clone() });
            next
        })
    }

    fn name_of(&self, edge: &Edge) -> String {
        format!("the edge {} → {}", self.nodes[edge.from].name, self.nodes[edge.to].name)
    }
}

impl Node {
    fn task(&self, instructions_per_byte: Option<f64>) -> Result<GraphTask, DotError> {
        let Self { name, attributes } = self;
        let owner = || format!("the node {name}");
        let send_bytes = size(attributes, "send_mb", "size", &owner)?;
        let instructions = match (number(attributes, "megacycles", &owner)?, send_bytes, instructions_per_byte) {
            (Some(megacycles), _, _) => 1e6 * megacycles,
            (None, Some(bytes), Some(per_byte)) => bytes * per_byte,
            (None, _, _) => return Err(DotError::NoWork { node: name.clone() }),
        };
        Ok(GraphTask {
            name: name.clone(),
            instructions,
            send_bytes: send_bytes.unwrap_or(0.0),
            result_bytes: size(attributes, "result_mb", "expect_size", &owner)?,
            weights_bytes: number(attributes, "weights_mb", &owner)?.map_or(0.0, bytes_from_mb),
            kind: kind(attributes, &owner)?,
            pinned: attributes.get("pinned").cloned(),
        })
    }
}

/// The kind of layer, if the attribute is there.
fn kind(attributes: &Attributes, owner: &dyn Fn() -> String) -> Result<Option<LayerKind>, DotError> {
    let parsed = attributes.get("kind").map(|text| text.parse());
    parsed.transpose().map_err(|reason| DotError::Kind { owner: owner(), reason })
}

/// The number of an attribute, if it is there.
fn number(attributes: &Attributes, name: &str, owner: &dyn Fn() -> String) -> Result<Option<f64>, DotError> {
    let Some(text) = attributes.get(name) else { return Ok(None) };
    let number = text.trim().parse().map_err(|_| DotError::NoNumber {
        owner: owner(),
        attribute: name.to_owned(),
        text: text.clone(),
    })?;
    Ok(Some(number))
}

/// The bytes of an attribute in MB or of another in bytes, if one of them is there.
fn size(
    attributes: &Attributes,
    in_mb: &str,
    in_bytes: &str,
    owner: &dyn Fn() -> String,
) -> Result<Option<f64>, DotError> {
    match number(attributes, in_mb, owner)? {
        Some(mb) => Ok(Some(bytes_from_mb(mb))),
        None => number(attributes, in_bytes, owner),
    }
}

/// A part of the text.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name, number or text in quotes. Keywords are names without quotes.
    Id {
        text: String,
        is_quoted: bool,
    },
    Arrow,
    /// `--`, which joins nodes of graphs that are not directed.
    Line,
    /// One of `{ } [ ] = ; , :`.
    Sign(char),
    End,
}

/// Reads tokens with the line of each.
struct Lexer<'t> {
    characters: Peekable<CharIndices<'t>>,
    line: usize,
    /// Whether only blanks stand before in this line: a `#` then begins a comment.
    is_at_start: bool,
}

impl Lexer<'_> {
    fn advance(&mut self) -> Option<char> {
        let (_, character) = self.characters.next()?;
        if character == '\n' {
            self.line += 1;
            self.is_at_start = true;
        } else if !character.is_whitespace() {
            self.is_at_start = false;
        }
        Some(character)
    }

    fn peek(&mut self) -> Option<char> {
        self.characters.peek().map(|(_, character)| *character)
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|character| character != '\n') {
            self.advance();
        }
    }

    fn skip_comment(&mut self) -> Result<(), DotError> {
        let line = self.line;
        let mut last = ' ';
        while let Some(character) = self.advance() {
            if last == '*' && character == '/' {
                return Ok(());
            }
            last = character;
        }
        Err(DotError::Syntax { line, reason: "a comment begins with /* and does not end".to_owned() })
    }

    fn next(&mut self) -> Result<Token, DotError> {
        loop {
            let is_at_start = self.is_at_start;
            let Some(character) = self.advance() else { return Ok(Token::End) };
            match character {
                '\u{feff}' => {}
                _ if character.is_whitespace() => {}
                '#' if is_at_start => self.skip_line(),
                '/' if self.peek() == Some('/') => self.skip_line(),
                '/' if self.peek() == Some('*') => {
                    self.advance();
                    self.skip_comment()?;
                }
                '{' | '}' | '[' | ']' | '=' | ';' | ',' | ':' => return Ok(Token::Sign(character)),
                '-' if self.peek() == Some('>') => {
                    self.advance();
                    return Ok(Token::Arrow);
                }
                '-' if self.peek() == Some('-') => {
                    self.advance();
                    return Ok(Token::Line);
                }
                '"' => return self.quoted(),
                '<' => return self.markup(),
                _ if is_of_name(character) || character == '-' => return Ok(self.name(character)),
                _ => {
                    let reason = format!("`{character}` has no meaning here; put names with such signs into quotes");
                    return Err(DotError::Syntax { line: self.line, reason });
                }
            }
        }
    }

    fn name(&mut self, first: char) -> Token {
        let mut text = String::from(first);
        while let Some(character) = self.peek().filter(|character| is_of_name(*character)) {
            text.push(character);
            self.advance();
        }
        Token::Id { text, is_quoted: false }
    }

    fn quoted(&mut self) -> Result<Token, DotError> {
        let line = self.line;
        let mut text = String::new();
        loop {
            match self.advance() {
                None => {
                    let reason = "a text in quotes begins here and does not end".to_owned();
                    return Err(DotError::Syntax { line, reason });
                }
                Some('"') => return Ok(Token::Id { text, is_quoted: true }),
                Some('\\') => match self.advance() {
                    Some('"') => text.push('"'),
                    // A line that goes on in the next one.
                    Some('\n') | None => {}
                    Some(other) => text.extend(['\\', other]),
                },
                Some(character) => text.push(character),
            }
        }
    }

    /// A text between `<` and `>`, which may hold others.
    fn markup(&mut self) -> Result<Token, DotError> {
        let line = self.line;
        let (mut text, mut depth) = (String::new(), 1);
        while let Some(character) = self.advance() {
            depth += i32::from(character == '<') - i32::from(character == '>');
            if depth == 0 {
                return Ok(Token::Id { text, is_quoted: true });
            }
            text.push(character);
        }
        Err(DotError::Syntax { line, reason: "a text begins with < and does not end".to_owned() })
    }
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '.'
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token,
    line: usize,
    failed: Option<DotError>,
    graph: Graph,
}

/// The attributes of nodes and edges that name no other.
#[derive(Clone, Default)]
struct Defaults {
    node: Attributes,
    edge: Attributes,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let lexer = Lexer { characters: text.char_indices().peekable(), line: 1, is_at_start: true };
        let mut parser = Self { lexer, token: Token::End, line: 1, failed: None, graph: Graph::default() };
        parser.advance();
        parser
    }

    /// Takes the token and reads the next one. A mistake in that one is told when it is needed.
    fn advance(&mut self) -> Token {
        let next = self.lexer.next().unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            Token::End
        });
        self.line = self.lexer.line;
        std::mem::replace(&mut self.token, next)
    }

    fn wrong(&mut self, wanted: &str) -> DotError {
        if let Some(error) = self.failed.take() {
            return error;
        }
        let found = match &self.token {
            Token::Id { text, .. } => format!("`{text}`"),
            Token::Arrow => "`->`".to_owned(),
            Token::Line => "`--`".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end of the text".to_owned(),
        };
        DotError::Syntax { line: self.line, reason: format!("{wanted} must stand here, not {found}") }
    }

    fn is_keyword(&self, word: &str) -> bool {
        matches!(&self.token, Token::Id { text, is_quoted: false } if text.eq_ignore_ascii_case(word))
    }

    fn take_sign(&mut self, sign: char) -> bool {
        let is_here = self.token == Token::Sign(sign);
        if is_here {
            self.advance();
        }
        is_here
    }

    fn graph(&mut self) -> Result<Graph, DotError> {
        if self.is_keyword("strict") {
            self.advance();
        }
        if self.is_keyword("graph") {
            return Err(DotError::NotDirected { line: self.line });
        }
        if !self.is_keyword("digraph") {
            return Err(self.wrong("`digraph`"));
        }
        self.advance();
        if matches!(self.token, Token::Id { .. }) {
            self.advance();
        }
        self.statements(&Defaults::default(), 0)?;
        if self.token != Token::End || self.failed.is_some() {
            return Err(self.wrong("the end of the text"));
        }
        Ok(std::mem::take(&mut self.graph))
    }

    /// Statements in braces. Returns the nodes that they name.
    fn statements(&mut self, defaults: &Defaults, depth: usize) -> Result<Vec<usize>, DotError> {
        if depth > MAX_DEPTH {
            let reason = format!("subgraphs stand in each other more than {MAX_DEPTH} deep");
            return Err(DotError::Syntax { line: self.line, reason });
        }
        if !self.take_sign('{') {
            return Err(self.wrong("`{`"));
        }
        let mut defaults = defaults.clone();
        let mut nodes = Vec::new();
        while !self.take_sign('}') {
            if self.take_sign(';') || self.take_sign(',') {
                continue;
            }
            nodes.extend(self.statement(&mut defaults, depth)?);
        }
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    fn statement(&mut self, defaults: &mut Defaults, depth: usize) -> Result<Vec<usize>, DotError> {
        for kind in ["node", "edge", "graph"] {
            if self.is_keyword(kind) {
                self.advance();
                let attributes = self.attributes()?;
                match kind {
                    "node" => defaults.node.extend(attributes),
                    "edge" => defaults.edge.extend(attributes),
                    _ => {}
                }
                return Ok(Vec::new());
            }
        }
        let Some(mut ends) = self.nodes(defaults, depth)? else { return Ok(Vec::new()) };
        let mut named = ends.nodes.clone();
        let first_edge = self.graph.edges.len();
        while self.token == Token::Arrow {
            self.advance();
            let Some(next) = self.nodes(defaults, depth)? else { return Err(self.wrong("a node")) };
            for &from in &ends.nodes {
                for &to in &next.nodes {
                    self.graph.edges.push(Edge { from, to, attributes: defaults.edge.clone() });
                }
            }
            named.extend_from_slice(&next.nodes);
            ends = Ends { is_group: true, ..next };
        }
        if self.token == Token::Line {
            return Err(DotError::NotDirected { line: self.line });
        }
        if self.token == Token::Sign('[') {
            let attributes = self.attributes()?;
            for edge in &mut self.graph.edges[first_edge..] {
                edge.attributes.extend(attributes.clone());
            }
            if !ends.is_group {
                for &node in &ends.nodes {
                    self.graph.nodes[node].attributes.extend(attributes.clone());
                }
            }
        }
        Ok(named)
    }

    /// A node or a group of nodes; `None` for an attribute of the graph, `name = value`.
    fn nodes(&mut self, defaults: &Defaults, depth: usize) -> Result<Option<Ends>, DotError> {
        if self.is_keyword("subgraph") || self.token == Token::Sign('{') {
            if self.token != Token::Sign('{') {
                self.advance();
                if matches!(self.token, Token::Id { .. }) {
                    self.advance();
                }
            }
            let nodes = self.statements(defaults, depth + 1)?;
            return Ok(Some(Ends { nodes, is_group: true }));
        }
        let name = self.id("a node")?;
        if self.take_sign('=') {
            self.id("a value")?;
            return Ok(None);
        }
        while self.take_sign(':') {
            self.id("a port")?;
        }
        Ok(Some(Ends { nodes: vec![self.graph.node(name, &defaults.node)], is_group: false }))
    }

    fn id(&mut self, wanted: &str) -> Result<String, DotError> {
        match self.token {
            Token::Id { .. } => {
                let Token::Id { text, .. } = self.advance() else { return Err(self.wrong(wanted)) };
                Ok(text)
            }
            _ => Err(self.wrong(wanted)),
        }
    }

    /// Lists of attributes in brackets, one or several.
    fn attributes(&mut self) -> Result<Attributes, DotError> {
        let mut attributes = Attributes::new();
        if self.token != Token::Sign('[') {
            return Err(self.wrong("`[`"));
        }
        while self.take_sign('[') {
            while !self.take_sign(']') {
                if self.take_sign(',') || self.take_sign(';') {
                    continue;
                }
                let name = self.id("the name of an attribute or `]`")?;
                let value = if self.take_sign('=') { self.id("a value")? } else { "true".to_owned() };
                attributes.insert(name, value);
            }
        }
        Ok(attributes)
    }
}

/// What stands at one end of an edge.
struct Ends {
    nodes: Vec<usize>,
    /// Whether attributes that follow are not those of one node.
    is_group: bool,
}

/// Why a Graphviz file makes no application.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DotError {
    /// The text is not in the language DOT.
    #[error("line {line}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Edges have no direction.
    #[error("line {line}: edges must have a direction: begin with digraph, and write a -> b")]
    NotDirected {
        /// The line, from 1.
        line: usize,
    },
    /// An attribute is no number.
    #[error("{attribute} of {owner} must be a number, is `{text}`")]
    NoNumber {
        /// The node or edge.
        owner: String,
        /// The attribute.
        attribute: String,
        /// Its value.
        text: String,
    },
    /// There is no such kind of layer.
    #[error("kind of {owner}: {reason}")]
    Kind {
        /// The node.
        owner: String,
        /// Its kind.
        reason: UnknownLayerKind,
    },
    /// Nothing says the work of a node.
    #[error("the node {node} needs the attribute megacycles, its work in 10^6 instructions")]
    NoWork {
        /// The node.
        node: String,
    },
    /// Nodes and edges make no application.
    #[error(transparent)]
    Application(#[from] ApplicationError),
}
