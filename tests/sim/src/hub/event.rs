//! What the checkers read: what clients said and heard, and what was done to guests, as these saw it themselves.

/// Which client; it may have several sessions, one after the other.
pub type ClientId = u32;
/// Which session.
pub type Sid = u64;
/// Which thing said by a client. Not used twice.
pub type Said = u32;
/// Which worker, over all builds.
pub type WorkerId = u32;
/// Which write.
pub type WriteId = u32;
/// Epoch and offset.
pub type Place = (u64, u64);

/// Which topic. Each has a nature of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// Every message counts, and none is kept. Clients are present here.
    Talk,
    /// Every message counts, and the newest are kept.
    Kept,
    /// The oldest may be dropped.
    Cursor,
    /// A later one of the same key counts.
    Price,
}

/// All of them.
pub const TOPICS: [Topic; 4] = [Topic::Talk, Topic::Kept, Topic::Cursor, Topic::Price];

/// What a guest is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    /// The session is there.
    Opened,
    /// The client said this.
    Message(Said),
    /// This timer ran out.
    Timer(Said),
    /// Another build had it.
    Resumed,
    /// It is gone.
    Closed(u16),
}

/// One event of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// Whose.
    pub session: Sid,
    /// What.
    pub what: What,
    /// Whether the guest was told that it may have been given before.
    pub redelivered: Redelivered,
}

/// Whether a message is marked so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redelivered {
    /// It is.
    Yes,
    /// It is not, or it is no message.
    No,
}

/// How well a client reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// It takes everything at once, and has an outbox that takes what a day brings.
    Quick,
    /// It does not.
    Slow,
}

/// What a client hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// What somebody published.
    Message(Said),
    /// The answer to what it said itself.
    Answer(Said),
    /// It is subscribed, from this place on.
    Joined(Topic, Place),
    /// What it missed on the topic that keeps, after the first place up to the second.
    Page(Place, Vec<Said>, Place),
    /// There is a gap after this place.
    Gap(Place),
    /// Who is present.
    List(Roster),
    /// Who came and who went.
    News(Roster, Vec<Sid>),
}

/// Who is present, all or those who came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// Counts the changes.
    pub version: u64,
    /// How many are present in all.
    pub count: u64,
    /// With what is said about them.
    pub here: Vec<(Sid, String)>,
}

/// A publication.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
    /// Where.
    pub topic: Topic,
    /// Which.
    pub said: Said,
    /// Its place in the stream.
    pub place: Place,
    /// What it tells of.
    pub key: Option<u8>,
    /// Who is left out.
    pub except: Option<Sid>,
    /// Writes that it has to wait for.
    pub writes: Vec<WriteId>,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A client has a session.
    Connected(ClientId, Sid, Pace),
    /// The host took a message of the client's.
    Said(Sid, Said),
    /// The client read something.
    Heard(Sid, Heard),
    /// The client read a close frame.
    Closed(Sid, u16),
    /// The host takes the client for gone, with this code: it closed, its connection broke, or it did not read its close
    /// frame in time.
    Gone(Sid, u16),
    /// A worker was given a batch.
    Given(WorkerId, Vec<Item>),
    /// It began with an event.
    Began(WorkerId, Sid, What),
    /// It is done with its batch.
    Returned(WorkerId),
    /// It died of the event that it had begun last, or before it began any.
    Died(WorkerId, Option<(Sid, What)>),
    /// What it is about to die of left nothing that anybody could notice.
    Traceless(WorkerId),
    /// The event that a guest died of goes to whoever has the session now.
    Spared(Sid),
    /// A batch could not be given: no worker was to be had.
    NotGiven(Vec<Item>),
    /// A session is a member of a topic, from this place on.
    Subscribed(Sid, Topic, Place),
    /// And is no longer.
    Unsubscribed(Sid, Topic),
    /// A guest published.
    Published(Publication),
    /// A guest answered what a client said; it has to wait for these writes.
    Answered(Said, Vec<WriteId>),
    /// A guest asked what was missed since a place. What it was given.
    Recovered(Sid, Place, Option<(Vec<Said>, Place)>),
    /// A guest asked who is present, for this session.
    Listed(Sid),
    /// A write is durable.
    Kept(WriteId),
    /// A write is lost.
    Lost(WriteId),
    /// A session is present, if these writes are not lost.
    Tracked(Sid, String, Vec<WriteId>),
    /// And is no longer.
    Untracked(Sid),
    /// A guest closed a session with this code.
    Dismissed(Sid, u16),
    /// A timer was set; due so many microseconds since the beginning.
    TimerSet(Sid, Said, u64),
    /// A session is at another build.
    Moved(Sid),
    /// For a long time nobody has said anything, everybody read, and all writes are settled.
    Quiet,
    /// What the hub counted of messages that it dropped: oldest, and outdated ones.
    Counted(u64, u64),
    /// The day is over.
    Evening,
}
