namespace Granary.Abstractions.Subscriptions;

/// <summary>A grain that gets the records of a partition, or of a key, of the topics that its class names by <see cref="LogSubscriptionAttribute"/>.</summary>
[Alias("granary.ILogSubscriber")]
public interface ILogSubscriber : IGrainWithStringKey
{
    /// <summary>
    /// The next records, in order. When the call has ended well they are done, and their offsets are committed soon after; when it throws, or takes longer than
    /// Orleans' response timeout (30 s), they come again: half of them first, or fewer, then the rest. They may also come again after a crash or a rebalance (at least once). A grain that must count each once keeps the last offset of each partition in its own state,
    /// in the same write as what it made of the records, and passes over what is not beyond it.
    /// </summary>
    [Alias("OnRecords")]
    Task OnRecordsAsync(LogRecords records);
}
