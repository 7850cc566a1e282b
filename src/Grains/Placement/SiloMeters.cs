using System.Diagnostics.Metrics;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Hosting;

namespace Granary.Grains.Placement;

/// <summary>
/// The silos, topics and partitions as this silo sees them, told when somebody asks: nothing is counted in between. Names as the OpenTelemetry
/// collector's Kafka receiver has them, where it has one.
/// </summary>
public sealed class SiloMeters : IHostedService, IDisposable
{
    /// <summary>The meter that they belong to.</summary>
    public const string MeterName = "Granary.Cluster";

    private readonly Meter _meter;
    private readonly ClusterMapSource _maps;
    private readonly TopicDirectory _topics;
    private readonly TrafficCounts _traffic;
    private readonly PlacementParts _placement;

    public SiloMeters(IMeterFactory meters, ClusterMapSource maps, TopicDirectory topics, TrafficCounts traffic, PlacementParts placement)
    {
        (_meter, _maps, _topics, _traffic, _placement) = (meters.Create(MeterName), maps, topics, traffic, placement);
        _meter.CreateObservableUpDownCounter("kafka.brokers", () => _maps.Map.Members.Length, "{broker}", "Silos of the cluster.");
        _meter.CreateObservableUpDownCounter("kafka.topic.partitions", PartitionCounts, "{partition}", "Partitions of each topic.");
        _meter.CreateObservableGauge("kafka.partition.current_offset", () => Offsets(static one => one.HighWatermark), "", "High watermark of each partition that this silo leads.");
        _meter.CreateObservableGauge("kafka.partition.oldest_offset", () => Offsets(static one => one.LogStartOffset), "", "Log start offset of each partition that this silo leads.");
        _meter.CreateObservableCounter("granary.topic.records.in", () => Traffic(static one => one.RecordsIn), "{record}", "Records appended to each topic on this silo.");
        _meter.CreateObservableCounter("granary.topic.in", () => Traffic(static one => one.BytesIn), "By", "Bytes appended to each topic on this silo.");
        _meter.CreateObservableCounter("granary.topic.out", () => Traffic(static one => one.BytesOut), "By", "Bytes read of each topic on this silo.");
        _meter.CreateObservableCounter("granary.partition.answers", Answers, "{answer}", "What the partitions of this silo answered to appends and reads, by result.");
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);

    private IEnumerable<Measurement<int>> PartitionCounts() => _topics.ByName.Values
        .Take(_placement.Options.MaxSeries)
        .Select(static topic => new Measurement<int>(topic.PartitionCount, Tag("topic", topic.Name)));

    /// <summary>Those that are being opened have none to tell.</summary>
    private IEnumerable<Measurement<long>> Offsets(Func<Abstractions.Cluster.HostedPartition, long> pick)
    {
        foreach (var hosted in _placement.Hosted.Describe().Where(static one => one.LeaderEpoch >= 0).Take(_placement.Options.MaxSeries))
        {
            if (_topics.Find(hosted.Partition.TopicId) is { } topic)
                yield return new Measurement<long>(pick(hosted), Tag("topic", topic.Name), Tag("partition", hosted.Partition.Index));
        }
    }

    /// <summary>An empty topic: those beyond the maximum, together.</summary>
    private IEnumerable<Measurement<long>> Traffic(Func<Abstractions.Cluster.TopicTraffic, long> pick)
    {
        foreach (var one in _traffic.Topics().Take(_placement.Options.MaxSeries))
        {
            if (one.TopicId == Guid.Empty || _topics.Find(one.TopicId) is not null)
                yield return new Measurement<long>(pick(one), Tag("topic", _topics.Find(one.TopicId)?.Name ?? ""));
        }
    }

    private IEnumerable<Measurement<long>> Answers()
    {
        var sums = _traffic.Sum(withTopics: false);
        return [new(sums.Successes, Tag("result", "success")), new(sums.Errors, Tag("result", "error"))];
    }
}
