//! A skip list of scores whose links know how many nodes they jump over.
//!
//! The nodes live in one vector and name each other by index. What a node stands for is the caller's:
//! it gives each a `place`, and compares by score and place.

/// Links that the tallest node has. With one node in four a level higher than the next, that is
/// enough for 4^32 nodes.
const MAX_HEIGHT: usize = 32;

/// Names a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct NodeId(u32);

/// The node before the first one; its score and place mean nothing.
const HEAD: NodeId = NodeId(0);

#[derive(Debug, Clone, Copy)]
struct Link {
    /// The node it leads to; the head when there is none.
    next: NodeId,
    /// How many steps of the lowest level it is long. A link that leads nowhere counts the nodes
    /// behind it.
    span: u32,
}

const NOWHERE: Link = Link {
    next: HEAD,
    span: 0,
};

#[derive(Debug, Clone)]
struct Node {
    score: f64,
    place: u32,
    previous: NodeId,
    lowest: Link,
    /// Links of the higher levels; three nodes in four have none.
    higher: Box<[Link]>,
}

impl Node {
    fn link(&self, level: usize) -> Link {
        match level.checked_sub(1) {
            None => self.lowest,
            Some(level) => self.higher.get(level).copied().unwrap_or(NOWHERE),
        }
    }

    fn link_mut(&mut self, level: usize) -> &mut Link {
        match level.checked_sub(1) {
            None => &mut self.lowest,
            Some(level) => &mut self.higher[level],
        }
    }
}

/// Nodes in order.
#[derive(Debug, Clone)]
pub(super) struct SkipList {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
    len: usize,
    /// Levels in use; the head has as many links.
    height: usize,
    /// State of the generator that chooses heights. They shape time alone, never an answer.
    seed: u64,
}

impl Default for SkipList {
    fn default() -> Self {
        SkipList {
            nodes: Vec::new(),
            free: Vec::new(),
            len: 0,
            height: 1,
            seed: 0,
        }
    }
}

/// The last node before a position on each level, and how many nodes lie before it, itself included.
struct Path {
    nodes: [NodeId; MAX_HEIGHT],
    ranks: [u32; MAX_HEIGHT],
}

impl SkipList {
    pub(super) fn score(&self, node: NodeId) -> f64 {
        self.node(node).score
    }

    pub(super) fn place(&self, node: NodeId) -> usize {
        self.node(node).place as usize
    }

    pub(super) fn set_place(&mut self, node: NodeId, place: usize) {
        self.node_mut(node).place = place as u32;
    }

    pub(super) fn next(&self, node: NodeId) -> Option<NodeId> {
        Some(self.node(node).lowest.next).filter(|next| *next != HEAD)
    }

    pub(super) fn previous(&self, node: NodeId) -> Option<NodeId> {
        Some(self.node(node).previous).filter(|previous| *previous != HEAD)
    }

    /// The node with `rank` nodes before it.
    pub(super) fn at(&self, rank: usize) -> Option<NodeId> {
        if rank >= self.len {
            return None;
        }
        let (mut at, mut left) = (HEAD, rank + 1);
        for level in (0..self.height).rev() {
            loop {
                let link = self.node(at).link(level);
                if link.next == HEAD || link.span as usize > left {
                    break;
                }
                left -= link.span as usize;
                at = link.next;
            }
            if left == 0 {
                return Some(at);
            }
        }
        None
    }

    /// How many nodes from the first one on fulfil a condition that none fulfils behind one that does
    /// not.
    pub(super) fn count_while(&self, condition: impl Fn(f64, usize) -> bool) -> usize {
        if self.len == 0 {
            return 0;
        }
        self.path(condition).ranks[0] as usize
    }

    /// Puts a node behind those that `precedes` it.
    pub(super) fn insert(
        &mut self,
        score: f64,
        place: usize,
        precedes: impl Fn(f64, usize) -> bool,
    ) -> NodeId {
        if self.nodes.is_empty() {
            self.nodes.push(Node {
                score: 0.0,
                place: 0,
                previous: HEAD,
                lowest: NOWHERE,
                higher: Box::default(),
            });
        }
        let height = self.choose_height();
        if height > self.height {
            self.grow(height);
        }
        let path = self.path(precedes);
        let id = self.store(Node {
            score,
            place: place as u32,
            previous: path.nodes[0],
            lowest: NOWHERE,
            higher: vec![NOWHERE; height - 1].into_boxed_slice(),
        });
        for level in 0..self.height {
            let behind = path.ranks[0] - path.ranks[level];
            let before = self.node_mut(path.nodes[level]).link_mut(level);
            if level < height {
                let link = Link {
                    next: before.next,
                    span: before.span - behind,
                };
                *before = Link {
                    next: id,
                    span: behind + 1,
                };
                *self.node_mut(id).link_mut(level) = link;
            } else {
                before.span += 1;
            }
        }
        let next = self.node(id).lowest.next;
        if next != HEAD {
            self.node_mut(next).previous = id;
        }
        self.len += 1;
        id
    }

    /// Takes a node out; `precedes` is true for those before it alone.
    pub(super) fn remove(&mut self, id: NodeId, precedes: impl Fn(f64, usize) -> bool) {
        let path = self.path(precedes);
        for level in 0..self.height {
            let own = self.node(id).link(level);
            let before = self.node_mut(path.nodes[level]).link_mut(level);
            if before.next == id {
                *before = Link {
                    next: own.next,
                    span: before.span + own.span - 1,
                };
            } else {
                before.span -= 1;
            }
        }
        let (next, previous) = (self.node(id).lowest.next, self.node(id).previous);
        if next != HEAD {
            self.node_mut(next).previous = previous;
        }
        self.len -= 1;
        self.node_mut(id).higher = Box::default();
        self.free.push(id);
    }

    fn path(&self, precedes: impl Fn(f64, usize) -> bool) -> Path {
        let mut path = Path {
            nodes: [HEAD; MAX_HEIGHT],
            ranks: [0; MAX_HEIGHT],
        };
        let (mut at, mut rank) = (HEAD, 0);
        for level in (0..self.height).rev() {
            loop {
                let link = self.node(at).link(level);
                if link.next == HEAD {
                    break;
                }
                let next = self.node(link.next);
                if !precedes(next.score, next.place as usize) {
                    break;
                }
                rank += link.span;
                at = link.next;
            }
            path.nodes[level] = at;
            path.ranks[level] = rank;
        }
        path
    }

    /// Gives the head links up to a height.
    fn grow(&mut self, height: usize) {
        let whole = Link {
            next: HEAD,
            span: self.len as u32,
        };
        let head = self.node_mut(HEAD);
        let mut higher = std::mem::take(&mut head.higher).into_vec();
        higher.resize(height - 1, whole);
        head.higher = higher.into_boxed_slice();
        self.height = height;
    }

    fn store(&mut self, node: Node) -> NodeId {
        match self.free.pop() {
            Some(id) => {
                *self.node_mut(id) = node;
                id
            }
            None => {
                self.nodes.push(node);
                NodeId((self.nodes.len() - 1) as u32)
            }
        }
    }

    /// One in four is a level higher than the next (splitmix64 supplies the bits).
    fn choose_height(&mut self) -> usize {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.seed;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (1 + bits.trailing_zeros() as usize / 2).min(MAX_HEIGHT)
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }
}
