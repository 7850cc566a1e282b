using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Gateway.Http.Live;
using Orleans.Runtime;

namespace Granary.Unit.Gateway.Http;

/// <summary>The cluster as the stream tells it, from happenings in any order.</summary>
public sealed class LiveStateTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly SiloMember s_one = Member(1);
    private static readonly SiloMember s_two = Member(2);
    private static readonly PartitionId s_partition = new(Guid.NewGuid(), 0);

    private readonly List<(string Name, object Message)> _told = [];
    private string? _topic = "topic";
    private readonly LiveState _state;

    public LiveStateTests()
    {
        _state = new LiveState(new LiveOptions { TimelineLength = 5, MaxPartitions = 3, MaxFormerSilos = 2 }, _ => _topic, (name, message) => _told.Add((name, message)));
        _state.SetMembers(new ClusterMap([s_one, s_two]));
        _state.SetHosted(s_one, [new HostedPartition(s_partition, 1, 0, 10)], s_start);
        _told.Clear();
    }

    [Fact]
    public void Take_SiloDeadThenOpenedElsewhere_TellsTheGapFromTheFirstSign()
    {
        _state.Take(s_two, Of(HappeningKind.SiloDead, 120) with { Silo = s_one.Silo, SiloName = s_one.Name, Cause = "it refuses connections" }, isHistory: false);
        _state.Take(s_two, Of(HappeningKind.SiloSuspected, 100) with { Silo = s_one.Silo, SiloName = s_one.Name, Cause = "x" }, isHistory: false);
        _state.Silent(s_one, s_start);
        _state.Take(s_two, Opened(2, 320), isHistory: false);

        var partitions = Told<LivePartition>("partition");
        Assert.Equal(new LivePartition("topic", 0, null, 1, "away", null), partitions[0]);
        Assert.Equal(new LivePartition("topic", 0, 2, 2, "open", 200), partitions[^1]);
        Assert.Equal("dead", Told<LiveSilo>("silo")[^1].State);
    }

    [Fact]
    public void Take_OpenedAfterAListShowedIt_TellsTheGapAllTheSame()
    {
        _state.Take(s_two, Of(HappeningKind.SiloDead, 100) with { Silo = s_one.Silo, SiloName = s_one.Name, Cause = "x" }, isHistory: false);
        _state.SetHosted(s_two, [new HostedPartition(s_partition, 2, 0, 0)], s_start + Ms(330));
        _state.Take(s_two, Opened(2, 320), isHistory: false);
        _state.Take(s_two, Opened(2, 320), isHistory: false);
        _state.Take(s_two, Of(HappeningKind.PartitionClosed, 1_000) with { Partition = s_partition, LeaderEpoch = 2, Cause = HappeningCause.Moved }, isHistory: false);
        _state.Take(s_one, Opened(3, 1_040), isHistory: false);

        Assert.Equal(["away", "open", "open", "moving", "open"], Told<LivePartition>("partition").Select(one => one.State));
        Assert.Equal([null, null, 220.0, null, 40.0], Told<LivePartition>("partition").Select(one => one.GapMs));
    }

    [Fact]
    public void Take_AnOlderEpochLate_ChangesNothing()
    {
        _state.Take(s_two, Opened(3, 10), isHistory: false);
        _told.Clear();
        _state.Take(s_one, Opened(2, 5), isHistory: false);
        _state.Take(s_one, Of(HappeningKind.PartitionClosed, 6) with { Partition = s_partition, LeaderEpoch = 1, Cause = HappeningCause.Fenced }, isHistory: false);
        Assert.Empty(Told<LivePartition>("partition"));
    }

    [Fact]
    public void Take_Moved_TellsMovingThenOpenWithItsGap()
    {
        _state.Take(s_one, Of(HappeningKind.PartitionClosed, 10) with { Partition = s_partition, LeaderEpoch = 1, Cause = HappeningCause.Moved }, isHistory: false);
        _state.Take(s_two, Opened(2, 45, HappeningCause.Moved), isHistory: false);
        Assert.Equal(["moving", "open"], Told<LivePartition>("partition").Select(one => one.State));
        var entry = Assert.Single(Told<LiveEntry>("timeline"));
        Assert.Equal(("partition-moved", 35.0), (entry.Kind, entry.GapMs));
    }

    [Fact]
    public void Take_SuspectedAndDead_TellWhenTheSiloWasLastHeardOf()
    {
        _state.Answered(s_one, s_start + Ms(20));
        _state.Answered(s_one, s_start + Ms(90));
        _state.Take(s_two, Of(HappeningKind.SiloSuspected, 100) with { Silo = s_one.Silo, SiloName = s_one.Name, Cause = "x" }, isHistory: false);
        _state.Take(s_two, Of(HappeningKind.SiloDead, 85) with { Silo = s_one.Silo, SiloName = s_one.Name }, isHistory: false);
        _state.Take(s_one, Of(HappeningKind.SiloDead, 200) with { Silo = s_two.Silo, SiloName = s_two.Name }, isHistory: false);
        Assert.Equal([s_start + Ms(90), s_start + Ms(85), null], Told<LiveEntry>("timeline").Select(entry => entry.LastHeardAt));
    }

    [Fact]
    public void Take_TheSameDeathFromTwoSilos_IsToldOnce()
    {
        foreach (var teller in new[] { s_two, Member(3) })
            _state.Take(teller, Of(HappeningKind.SiloDead, 1) with { Silo = s_one.Silo, SiloName = s_one.Name }, isHistory: false);
        Assert.Single(Told<LiveEntry>("timeline"));
    }

    [Fact]
    public void Take_ManyOpenings_AreOneEntryThatGrows_AndBoundsHold()
    {
        for (var index = 0; index < 50; index++)
            _state.Take(s_two, Opened(2, index) with { Partition = new PartitionId(s_partition.TopicId, index) }, isHistory: false);
        var entries = Told<LiveEntry>("timeline");
        Assert.Single(entries.Select(entry => entry.Entry).Distinct());
        Assert.Equal(50, entries[^1].Count);
        Assert.Equal(3, Snapshot().Partitions.Count);

        for (var second = 0; second < 20; second++)
            _state.Take(s_two, Opened(3 + second, 60_000 + (second * 5_000)), isHistory: false);
        var timeline = Snapshot().Timeline;
        Assert.Equal(5, timeline.Count);
        Assert.Equal(timeline.OrderBy(entry => entry.At), timeline);
    }

    [Fact]
    public void Take_Deleted_GoesByItsName_WhoeverSaysSo_AndDoesNotComeBack()
    {
        // The catalog forgets the name first, and who deletes it need not be who had it open.
        _topic = null;
        _state.Take(s_two, Of(HappeningKind.PartitionClosed, 10) with { Partition = s_partition, LeaderEpoch = 0, Cause = HappeningCause.Deleted }, isHistory: false);
        _state.SetHosted(s_one, [new HostedPartition(s_partition, 1, 0, 10)], s_start + Ms(11));

        Assert.Equal(new LivePartition("topic", 0, null, 1, "deleted", null), Assert.Single(Told<LivePartition>("partition")));
        Assert.Empty(Snapshot().Partitions);
    }

    [Fact]
    public void Forget_APartitionWhoseTopicIsGone_TellsThatItIsDeleted()
    {
        _state.Forget(s_start);
        Assert.Empty(_told);
        _topic = null;
        _state.Forget(s_start);
        Assert.Equal(("topic", "deleted"), Assert.Single(Told<LivePartition>("partition")) is var told ? (told.Topic, told.State) : default);
    }

    [Fact]
    public void Forget_SilosThatAreGone_AfterAMinute_AndAsSoonAsTheyHaveNoPartitions()
    {
        _state.Take(s_two, Of(HappeningKind.SiloDead, 0) with { Silo = s_one.Silo, SiloName = s_one.Name }, isHistory: false);
        _state.SetMembers(new ClusterMap([s_two]));
        _state.Forget(s_start);
        _state.Forget(s_start + TimeSpan.FromHours(1));
        Assert.Equal([s_one.Name, s_two.Name], Snapshot().Silos.Select(silo => silo.Name));

        _state.Take(s_two, Opened(2, 100), isHistory: false);
        _state.Forget(s_start + TimeSpan.FromHours(1));
        Assert.Equal([s_two.Name], Snapshot().Silos.Select(silo => silo.Name));

        // Nobody said that it left.
        _state.SetMembers(new ClusterMap([s_two, Member(3)]));
        _state.SetMembers(new ClusterMap([s_two]));
        _state.Forget(s_start);
        _state.Forget(s_start + TimeSpan.FromSeconds(59));
        Assert.Equal(2, Snapshot().Silos.Count);
        _state.Forget(s_start + TimeSpan.FromSeconds(60));
        Assert.Equal([s_two.Name], Snapshot().Silos.Select(silo => silo.Name));
        Assert.Equal("left", Told<LiveSilo>("silo")[^1].State);
    }

    [Fact]
    public void Forget_MoreFormerSilosThanAreKept_TheOldestGo()
    {
        for (var node = 3; node < 10; node++)
        {
            _state.SetMembers(new ClusterMap([s_one, s_two, Member(node)]));
            _state.Forget(s_start + Ms(node));
        }

        Assert.Equal([1, 2, 7, 8, 9], Snapshot().Silos.Select(silo => silo.NodeId));
    }

    [Fact]
    public void ClockOffset_TakesTheShortestWay()
    {
        var clock = new ClockOffset();
        var ahead = TimeSpan.FromSeconds(7);
        clock.Learn(s_start, s_start + ahead + Ms(80), s_start + ahead + Ms(180), s_start + Ms(181));
        Assert.True((clock.Ahead - ahead).Duration() <= Ms(41));
        clock.Learn(s_start, s_start + ahead + Ms(1), s_start + ahead + Ms(101), s_start + Ms(102));
        Assert.Equal(ahead, clock.Ahead);
        clock.Learn(s_start, s_start + ahead + Ms(50), s_start + ahead + Ms(51), s_start + Ms(52));
        Assert.Equal(ahead, clock.Ahead);
        Assert.Equal(s_start, clock.ToHere(s_start + ahead));
    }

    [Fact]
    public void TrafficRates_CountWhatCameBetweenTwoSums()
    {
        var rates = new TrafficRates();
        var topic = Guid.NewGuid();
        rates.Learn(s_one.Silo, new SiloTraffic(100, 1, [new TopicTraffic(topic, 50, 500, 5)]));
        rates.Learn(s_one.Silo, new SiloTraffic(103, 2, [new TopicTraffic(topic, 53, 530, 7)]));
        Assert.Null(rates.Tick(s_start, _ => "topic"));
        rates.Learn(s_one.Silo, new SiloTraffic(104, 2, []));
        LiveRates? second = null;
        for (var tick = 1; tick < 10; tick++)
            second = rates.Tick(s_start, _ => "topic");
        Assert.Equal([3L, 1, 0, 0, 0, 0, 0, 0, 0, 0], second!.Successes);
        Assert.Equal([1L, 0, 0, 0, 0, 0, 0, 0, 0, 0], second.Errors);
        Assert.Equal(new LiveTopicRate(3, 30, 2), second.Topics["topic"]);
    }

    private LiveSnapshot Snapshot() => _state.Snapshot(s_start, new Dictionary<string, LiveTopicRate>());

    private static TimeSpan Ms(int ms) => TimeSpan.FromMilliseconds(ms);

    private static ClusterHappening Of(HappeningKind kind, int ms) => new() { Kind = kind, At = s_start + Ms(ms) };

    private static ClusterHappening Opened(int epoch, int ms, string cause = HappeningCause.Placed) =>
        Of(HappeningKind.PartitionOpened, ms) with { Partition = s_partition, LeaderEpoch = epoch, Cause = cause };

    private static SiloMember Member(int node) =>
        new(node, $"silo-{node}", SiloAddress.New(System.Net.IPAddress.Loopback, 11000 + node, node), [], false);

    private List<T> Told<T>(string name) => [.. _told.Where(one => one.Name == name).Select(one => (T)one.Message)];
}
