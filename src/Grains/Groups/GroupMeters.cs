using System.Diagnostics.Metrics;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace Granary.Grains.Groups;

/// <summary>
/// Members, positions and lag of the groups that this silo coordinates, measured now and then. The partitions' ends come from their silos, one
/// call for each, so that no partition is woken; what is open nowhere still ends where it ended. Without groups it does nothing.
/// </summary>
internal sealed class GroupMeters : BackgroundService
{
    /// <summary>The meter that they belong to.</summary>
    public const string MeterName = "Granary.Groups";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly Meter _meter;
    private readonly GroupParts _parts;
    private readonly ClusterMapSource _maps;
    private readonly IGrainFactory _grains;
    private readonly Dictionary<PartitionId, long> _ends = [];
    private Measurement<int>[] _members = [];
    private Measurement<long>[] _offsets = [];
    private Measurement<long>[] _lags = [];

    public GroupMeters(IMeterFactory meters, GroupParts parts, ClusterMapSource maps, IGrainFactory grains)
    {
        (_meter, _parts, _maps, _grains) = (meters.Create(MeterName), parts, maps, grains);
        _meter.CreateObservableUpDownCounter("kafka.consumer_group.members", () => Volatile.Read(ref _members), "{member}", "Members of each group that this silo coordinates.");
        _meter.CreateObservableGauge("kafka.consumer_group.offset", () => Volatile.Read(ref _offsets), "", "Committed position of each group in each partition.");
        _meter.CreateObservableGauge("kafka.consumer_group.lag", () => Volatile.Read(ref _lags), "", "Records between a group's position and the partition's end.");
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(_parts.Options.MeasureInterval, _parts.Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            try
            {
                await MeasureAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                _parts.Diagnostics.SweepFailed(failure);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task MeasureAsync(CancellationToken cancellation)
    {
        var members = new List<Measurement<int>>();
        var positions = new List<(string Group, CommittedOffset Position)>();

        // An id that somebody only asked for takes no other's place, and its grain is not kept in memory by being measured.
        foreach (var (groupId, _, _, _) in _parts.Hosted.List().Take(_parts.Options.MaxMeasured))
        {
            try
            {
                await MeasureAsync(groupId, members, positions, cancellation);
            }
            catch (Exception lost) when (lost is TimeoutException or OrleansException)
            {
                // It moves, or is busy: its figures are left out this time.
            }
        }

        var wanted = positions.Select(one => one.Position.Partition).ToHashSet();
        await LearnEndsAsync(wanted, cancellation);
        Volatile.Write(ref _members, [.. members]);
        Show(positions);
    }

    private async Task MeasureAsync(string groupId, List<Measurement<int>> members, List<(string Group, CommittedOffset Position)> positions, CancellationToken cancellation)
    {
        var grain = _grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId));
        var described = await grain.DescribeAsync(withLags: false).WaitAsync(s_patience, _parts.Time, cancellation);
        if (described.Error != ErrorCode.None)
            return;
        members.Add(new Measurement<int>(described.Members.Length, Tag("group", groupId)));
        var room = _parts.Options.MaxMeasured - positions.Count;
        if (room <= 0)
            return;
        var committed = await grain.FetchOffsetsAsync([]).WaitAsync(s_patience, _parts.Time, cancellation);
        if (committed.Error == ErrorCode.None)
            positions.AddRange(committed.Offsets.Where(one => one.IsPosition).Take(room).Select(one => (groupId, one)));
    }

    private void Show(List<(string Group, CommittedOffset Position)> positions)
    {
        var (offsets, lags) = (new List<Measurement<long>>(), new List<Measurement<long>>());
        foreach (var (group, position) in positions)
        {
            if (_parts.Topics.Find(position.Partition.TopicId) is not { } topic)
                continue;
            KeyValuePair<string, object?>[] tags = [Tag("group", group), Tag("topic", topic.Name), Tag("partition", position.Partition.Index)];
            offsets.Add(new Measurement<long>(position.Offset, tags));
            if (_ends.TryGetValue(position.Partition, out var end))
                lags.Add(new Measurement<long>(Math.Max(0, end - position.Offset), tags));
        }

        Volatile.Write(ref _offsets, [.. offsets]);
        Volatile.Write(ref _lags, [.. lags]);
    }

    private async Task LearnEndsAsync(HashSet<PartitionId> wanted, CancellationToken cancellation)
    {
        foreach (var gone in _ends.Keys.Where(known => !wanted.Contains(known)).ToList())
            _ends.Remove(gone);
        if (wanted.Count == 0)
            return;
        foreach (var member in _maps.Map.Members)
        {
            try
            {
                var hosted = await _grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(member.Silo)).PartitionsAsync().WaitAsync(s_patience, _parts.Time, cancellation);
                foreach (var one in hosted.Where(one => one.LeaderEpoch >= 0 && wanted.Contains(one.Partition)))
                    _ends[one.Partition] = Math.Max(one.HighWatermark, _ends.GetValueOrDefault(one.Partition));
            }
            catch (Exception lost) when (lost is TimeoutException or OrleansException)
            {
                // It is dying or busy: the last known ends stand until the next time.
            }
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);
}
