using Granary.Abstractions.Clients;

namespace Granary.Abstractions.Subscriptions;

/// <summary>Which grain gets a record.</summary>
public enum SubscriptionKey : byte
{
    /// <summary>One grain per partition; its key is topic/partition, as <c>learner-events/3</c>.</summary>
    Partition = 0,

    /// <summary>
    /// One grain per record key, in parallel; its key is the record's as UTF-8 text. Records without a key, with a blank one or one that is no UTF-8 go to the grain
    /// of their partition.
    /// </summary>
    Key = 1,
}

/// <summary>What becomes of records that their grain fails on again and again.</summary>
public enum SubscriberFailure : byte
{
    /// <summary>They are tried for ever; the grain's later records wait. A log must not lose.</summary>
    KeepTrying = 0,

    /// <summary>After <see cref="LogSubscriptionAttribute.MaxAttempts"/> nothing more is taken from the partition until it is assigned anew.</summary>
    StopPartition = 1,

    /// <summary>After <see cref="LogSubscriptionAttribute.MaxAttempts"/> they are left out, which is logged as an error with their offsets.</summary>
    Skip = 2,
}

/// <summary>
/// Sends the records of a topic to the grains of this class, which is an <see cref="ILogSubscriber"/>: activated on demand, in order, their offsets committed
/// after them. Several on one class are several subscriptions.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class LogSubscriptionAttribute(string topic) : Attribute
{
    private const int LargestBatchBytes = 64 * 1024 * 1024;

    public string Topic => topic;

    /// <summary>The group whose offsets are kept; the members of all processes with this class share the topic's partitions.</summary>
    public required string Group { get; init; }

    public SubscriptionKey By { get; init; }

    /// <summary>Where to start in a partition that the group keeps no offset of; not <see cref="OffsetReset.Throw"/>.</summary>
    public OffsetReset Start { get; init; }

    public SubscriberFailure OnFailure { get; init; }

    /// <summary>
    /// Calls from the same record on that may fail in a row before <see cref="OnFailure"/> is done with the records of the last one; 1 or more. Each failure halves
    /// the call, so that the defaults come down to the one record that fails; fewer attempts leave out its neighbours too. Meaningless with
    /// <see cref="SubscriberFailure.KeepTrying"/>.
    /// </summary>
    public int MaxAttempts { get; init; } = 10;

    /// <summary>
    /// Records in one call, at most; 1 or more. Many spare calls, few make a failing call small. A grain has Orleans' response timeout (30 s) for a call; of what
    /// takes it longer half comes again.
    /// </summary>
    public int MaxBatchRecords { get; init; } = 100;

    /// <summary>
    /// Bytes of records in one call, at most; 1 to 67108864 (64 MB). A larger record goes alone. Small ones cost calls; large ones are memory, and Orleans ends a
    /// connection that is to carry more than its MaxMessageBodySize (100 MB).
    /// </summary>
    public int MaxBatchBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Records of one partition that may be read and not done, 1 or more. When there are so many the partition is paused. Few keep grains waiting; many are memory, and with
    /// <see cref="SubscriptionKey.Key"/> they are what may come again after a crash.
    /// </summary>
    public int MaxUnfinished { get; init; } = 1_000;

    /// <summary>Throws <see cref="InvalidOperationException"/> that names the class, the property, its value and its bounds.</summary>
    internal void Validate(Type on)
    {
        Check(on, nameof(Topic), topic, !string.IsNullOrEmpty(topic), "a topic's name");
        Check(on, nameof(Group), Group, SubscriptionOptions.IsId(Group), "1 to 255 characters");
        Check(on, nameof(By), By, By <= SubscriptionKey.Key, "Partition or Key");
        Check(on, nameof(Start), Start, Start <= OffsetReset.Latest, "Earliest or Latest");
        Check(on, nameof(OnFailure), OnFailure, OnFailure <= SubscriberFailure.Skip, "KeepTrying, StopPartition or Skip");
        Check(on, nameof(MaxAttempts), MaxAttempts, MaxAttempts > 0, "1 or more");
        Check(on, nameof(MaxBatchRecords), MaxBatchRecords, MaxBatchRecords > 0, "1 or more");
        Check(on, nameof(MaxBatchBytes), MaxBatchBytes, MaxBatchBytes is > 0 and <= LargestBatchBytes, $"1 to {LargestBatchBytes}");
        Check(on, nameof(MaxUnfinished), MaxUnfinished, MaxUnfinished > 0, "1 or more");
    }

    private static void Check(Type on, string name, object? value, bool holds, string bounds)
    {
        if (!holds)
            throw new InvalidOperationException($"[LogSubscription] of {on.FullName}: {name} is {value}; allowed: {bounds}");
    }
}
