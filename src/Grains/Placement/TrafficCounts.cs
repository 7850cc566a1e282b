using System.Collections.Concurrent;
using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Placement;

/// <summary>What this silo's partitions have taken in and given out since its start: sums only, so it costs next to nothing. Safe for many threads.</summary>
public sealed class TrafficCounts(IOptions<PlacementOptions> options)
{
    private readonly ConcurrentDictionary<Guid, TopicCounts> _topics = new();
    private readonly TopicCounts _others = new();
    private long _successes;
    private long _errors;

    /// <summary>The topic's sums, or those of all others where the maximum of topics is reached.</summary>
    public TopicCounts Of(Guid topicId)
    {
        if (_topics.TryGetValue(topicId, out var known))
            return known;
        return _topics.Count < options.Value.MaxCountedTopics ? _topics.GetOrAdd(topicId, static _ => new TopicCounts()) : _others;
    }

    /// <summary>The topic was deleted.</summary>
    public void Forget(Guid topicId) => _topics.TryRemove(topicId, out _);

    public void Succeeded() => Interlocked.Increment(ref _successes);

    public void Failed() => Interlocked.Increment(ref _errors);

    public SiloTraffic Sum(bool withTopics) => new(Volatile.Read(ref _successes), Volatile.Read(ref _errors), withTopics ? Topics() : []);

    public ImmutableArray<TopicTraffic> Topics()
    {
        var topics = ImmutableArray.CreateBuilder<TopicTraffic>();
        foreach (var (topicId, counts) in _topics)
            topics.Add(counts.Sum(topicId));
        if (_others.Sum(Guid.Empty) is { BytesIn: > 0 } or { BytesOut: > 0 })
            topics.Add(_others.Sum(Guid.Empty));
        return topics.ToImmutable();
    }
}

/// <summary>One topic's sums. Safe for many threads.</summary>
public sealed class TopicCounts
{
    private long _recordsIn;
    private long _bytesIn;
    private long _bytesOut;

    public void Appended(int records, int bytes)
    {
        Interlocked.Add(ref _recordsIn, records);
        Interlocked.Add(ref _bytesIn, bytes);
    }

    public void Read(int bytes) => Interlocked.Add(ref _bytesOut, bytes);

    public TopicTraffic Sum(Guid topicId) => new(topicId, Volatile.Read(ref _recordsIn), Volatile.Read(ref _bytesIn), Volatile.Read(ref _bytesOut));
}
