using Granary.Abstractions.Cluster;
using Orleans.Runtime;

namespace Granary.Gateway.Http.Live;

/// <summary>Sums of silos, made into what happened in each second and each tenth of one. A silo's first sums count as nothing. Pure.</summary>
internal sealed class TrafficRates
{
    private const int TicksPerSecond = 10;

    private readonly Dictionary<SiloAddress, SiloTraffic> _answers = [];
    private readonly Dictionary<SiloAddress, Dictionary<Guid, TopicTraffic>> _topics = [];
    private readonly Dictionary<Guid, TopicTraffic> _gained = [];
    private readonly long[] _successes = new long[TicksPerSecond];
    private readonly long[] _errors = new long[TicksPerSecond];
    private int _tick;

    /// <summary>The last full second.</summary>
    public IReadOnlyDictionary<string, LiveTopicRate> Topics { get; private set; } = new Dictionary<string, LiveTopicRate>();

    public void Learn(SiloAddress silo, SiloTraffic sums)
    {
        if (_answers.TryGetValue(silo, out var former))
        {
            _successes[_tick] += sums.Successes - former.Successes;
            _errors[_tick] += sums.Errors - former.Errors;
        }

        _answers[silo] = sums;
        if (sums.Topics.IsEmpty)
            return;
        var isFirst = !_topics.ContainsKey(silo);
        if (isFirst)
            _topics[silo] = [];
        var known = _topics[silo];
        foreach (var topic in sums.Topics)
        {
            var before = known.GetValueOrDefault(topic.TopicId);
            known[topic.TopicId] = topic;
            if (isFirst || topic.BytesIn < before.BytesIn || topic.BytesOut < before.BytesOut)
                continue;
            var gained = _gained.GetValueOrDefault(topic.TopicId);
            _gained[topic.TopicId] = new TopicTraffic(
                topic.TopicId,
                gained.RecordsIn + topic.RecordsIn - before.RecordsIn,
                gained.BytesIn + topic.BytesIn - before.BytesIn,
                gained.BytesOut + topic.BytesOut - before.BytesOut);
        }
    }

    public void Forget(SiloAddress silo)
    {
        _answers.Remove(silo);
        _topics.Remove(silo);
    }

    /// <summary>Another 100 ms are over; not null: and with them a second.</summary>
    public LiveRates? Tick(DateTimeOffset now, Func<Guid, string> nameOf)
    {
        if (++_tick < TicksPerSecond)
            return null;
        var topics = new Dictionary<string, LiveTopicRate>();
        foreach (var (topicId, gained) in _gained.Where(topic => topic.Value.BytesIn > 0 || topic.Value.BytesOut > 0))
            topics[nameOf(topicId)] = new LiveTopicRate(gained.RecordsIn, gained.BytesIn, gained.BytesOut);
        Topics = topics;
        var rates = new LiveRates(now, topics, [.. _errors], [.. _successes]);
        _gained.Clear();
        Array.Clear(_errors);
        Array.Clear(_successes);
        _tick = 0;
        return rates;
    }
}
