using System.Runtime.CompilerServices;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;

namespace Granary.Gateway.Kafka;

/// <summary>References to partitions' grains, made once per topic and kept as long as its description is.</summary>
internal sealed class PartitionGrains(IGrainFactory grains)
{
    private readonly ConditionalWeakTable<TopicDescription, PartitionReference?[]> _byTopic = [];

    /// <summary>The partition's grain, or null where the topic has no such partition.</summary>
    public PartitionReference? Find(TopicDescription topic, int index)
    {
        var references = _byTopic.GetValue(topic, static topic => new PartitionReference?[topic.PartitionCount]);
        if ((uint)index >= (uint)references.Length)
            return null;
        return references[index] ??= Make(new PartitionId(topic.TopicId, index));
    }

    private PartitionReference Make(PartitionId id) => new(id, grains.GetGrain<IPartitionGrain>(id.ToKey()));
}

/// <summary>A partition and the way to it.</summary>
internal sealed class PartitionReference(PartitionId id, IPartitionGrain grain)
{
    /// <summary>A client sends again what was not taken after a pause of its own: so long what it had sent behind it may come first.</summary>
    private static readonly TimeSpan s_comesAgainWithin = TimeSpan.FromSeconds(5);

    private volatile bool _isSettled;
    private int _inFlight;
    private long _lastRefusal;

    public PartitionId Id { get; } = id;

    public IPartitionGrain Grain { get; } = grain;

    /// <summary>
    /// True after an append was answered well, until one is not. While a grain is being found and started, two calls that follow one another
    /// may change places on the way; so appends to a partition that is not settled are sent one after the other.
    /// </summary>
    public bool IsSettled
    {
        get => _isSettled;
        set
        {
            if (_isSettled != value)
                _isSettled = value;
        }
    }

    /// <summary>Counts an append that is sent now; true where others are not answered yet, which it may overtake while the partition moves.</summary>
    public bool BeginAppend() => Interlocked.Increment(ref _inFlight) > 1;

    public void EndAppend() => Interlocked.Decrement(ref _inFlight);

    /// <summary>An append was not taken, or nobody knows: it will be sent again.</summary>
    public void NoteRefusal(TimeProvider time) => Volatile.Write(ref _lastRefusal, time.GetTimestamp());

    /// <summary>Whether an append that was not taken a while ago may not have come again yet.</summary>
    public bool AwaitsOneAgain(TimeProvider time) => Volatile.Read(ref _lastRefusal) is not 0 and var last && time.GetElapsedTime(last) < s_comesAgainWithin;
}
