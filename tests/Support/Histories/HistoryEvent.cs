namespace Granary.Support.Histories;

/// <summary>What a line of a history tells.</summary>
public enum HistoryEventKind
{
    /// <summary>A producer is about to send its record. Told before it can be anywhere.</summary>
    Sent,

    /// <summary>The producer was told that its record is durable, at this offset (-1: where was not told).</summary>
    Acknowledged,

    /// <summary>The producer knows that its record was not written, and never will be.</summary>
    Failed,

    /// <summary>The producer does not know whether its record was written.</summary>
    Unknown,

    /// <summary>A reader takes its place at this offset.</summary>
    Positioned,

    /// <summary>A reader was given this record, at this offset.</summary>
    Read,

    /// <summary>A reader was told this high watermark (exclusive), by an answer to what it asked at <see cref="HistoryEvent.Began"/>.</summary>
    Watermark,

    /// <summary>Somebody is about to ask that the log start at this offset.</summary>
    TrimAsked,

    /// <summary>Somebody was told that the log starts at this offset.</summary>
    Trimmed,

    /// <summary>When all was over, the log began at this offset.</summary>
    FoundStart,

    /// <summary>When all was over, this record lay at this offset.</summary>
    Found,

    /// <summary>A group's member was given this partition, by its own account: its callback begins.</summary>
    Assigned,

    /// <summary>A group's member gives this partition back, having been asked to: its callback begins.</summary>
    Revoked,

    /// <summary>A group's member learned that this partition was taken from it: it had been given up for dead.</summary>
    Lost,

    /// <summary>A group's member ends, by leaving or without a word, and with that its hold on this partition.</summary>
    Ended,

    /// <summary>A member, or whoever asks at the end, was told that the group's committed offset is this (-1: none); asked at <see cref="HistoryEvent.Began"/>.</summary>
    Fetched,

    /// <summary>A group's member has processed this record, at this offset.</summary>
    Processed,

    /// <summary>A member's commit of this offset, begun at <see cref="HistoryEvent.Began"/>, was acknowledged.</summary>
    Committed,

    /// <summary>A member's commit was refused. An earlier try of it that was not answered may have been taken all the same: clients try again by themselves.</summary>
    CommitRefused,

    /// <summary>A member does not know what became of its commit.</summary>
    CommitUnknown,

    /// <summary>A fault or its end, or whatever a person should know who reads the history.</summary>
    Note,
}

/// <summary>
/// One thing that happened, as one of the clients saw it. All of a history's times are of one monotonic clock, in ticks of 100 ns since its
/// beginning; <see cref="Time"/> never goes back from one event to the next.
/// </summary>
/// <param name="Kind">What happened.</param>
/// <param name="Time">When its teller knew of it.</param>
/// <param name="Client">Who tells: a producer, or one connection of a reader.</param>
/// <param name="Partition">Where.</param>
/// <param name="Offset">The offset that the kind speaks of.</param>
/// <param name="Record">The record that the kind speaks of.</param>
/// <param name="Began">When the question was asked whose answer this is; for a watermark, a commit, a committed offset. -1: not known.</param>
/// <param name="Text">Of a note.</param>
/// <param name="Group">Of a member: its group's number.</param>
public readonly record struct HistoryEvent(
    HistoryEventKind Kind,
    long Time = 0,
    int Client = 0,
    int Partition = 0,
    long Offset = -1,
    SentRecord Record = default,
    long Began = -1,
    string? Text = null,
    int Group = 0);
