using System.Collections.Immutable;
using System.Diagnostics;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Support;

namespace Granary.Bench;

/// <summary>
/// Members of the consumer protocol (KIP-848) as their own grains are called, from an Orleans client: they take up and give back what they are told, at the heartbeat
/// interval that the group tells.
/// </summary>
internal static class GroupLoad
{
    private const int Large = 1_000;
    private const int HeartbeatsPerSecond = 10_000;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    /// <summary>For how long a group that is stable is watched.</summary>
    private static readonly TimeSpan s_watched = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(ResultTable table)
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        await using var client = await ClusterClient.ConnectAsync(silo.PostgresConnectionString, "granary");
        var admin = new Abstractions.Clients.LogAdmin(client.Grains);
        await admin.CreateTopicAsync("twelve", 12);
        await admin.CreateTopicAsync("large", Large);
        await JoinOfAFourthAsync(table, client.Grains);
        await ReadingGaps.RunAsync(table, silo, client.Grains);
        await OneLargeGroupAsync(table, silo, client.Grains);
        await ManyGroupsAsync(table, client.Grains);
    }

    /// <summary>From a fourth member's first heartbeat until all twelve partitions are owned again; and how many were away that did not move.</summary>
    private static async Task JoinOfAFourthAsync(ResultTable table, IGrainFactory grains)
    {
        await using var members = new Crowd(grains, "four", "twelve");
        members.Add(3);
        await members.AwaitAsync(12, joined: 3);
        for (var round = 0; round < 3; round++)
        {
            var before = members.Owned();
            var clock = Stopwatch.StartNew();
            members.Add(1);
            await members.AwaitAsync(12, joined: 4 + round);
            table.Add("a member joins 3 and more with 12 partitions", "ms", clock.Elapsed.TotalMilliseconds, "1,000");
            table.Add("partitions that moved", "of 12", members.Owned().Count(one => !before.Contains(one)));
        }
    }

    private static async Task OneLargeGroupAsync(ResultTable table, SiloProcess silo, IGrainFactory grains)
    {
        await using var members = new Crowd(grains, "large", "large");
        var clock = Stopwatch.StartNew();
        members.Add(Large);
        await members.AwaitAsync(Large, joined: Large);
        table.Add("1,000 members on 1,000 partitions stable", "s", clock.Elapsed.TotalSeconds, "20");
        var epoch = await EpochOfAsync(grains, "large");
        await Task.Delay(s_watched);
        table.Add($"… and group epochs in the {s_watched.TotalSeconds} s after that", "", await EpochOfAsync(grains, "large") - epoch, "0");
        await members.StopBeatingAsync();
        var shares = new ProcessorShares(silo);
        clock.Restart();
        const int seconds = 10;
        var beats = await members.BeatAsync(HeartbeatsPerSecond, TimeSpan.FromSeconds(seconds));
        table.Add("heartbeats", "/s", beats / clock.Elapsed.TotalSeconds, "10,000 in 0.5 cores", shares.SinceThen());
    }

    private static async Task<int> EpochOfAsync(IGrainFactory grains, string group) =>
        (await grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(group)).DescribeAsync(withLags: false)).Generation;

    private static async Task ManyGroupsAsync(ResultTable table, IGrainFactory grains)
    {
        var crowds = Enumerable.Range(0, 1_000).Select(number => new Crowd(grains, $"many-{number}", "twelve")).ToList();
        var clock = Stopwatch.StartNew();
        foreach (var crowd in crowds)
            crowd.Add(3);
        foreach (var crowd in crowds)
            await crowd.AwaitAsync(12, joined: 3);
        table.Add("1,000 groups of 3 stable", "s", clock.Elapsed.TotalSeconds);
        foreach (var crowd in crowds)
            await crowd.DisposeAsync();
    }

    /// <summary>The members of one group in this process.</summary>
    private sealed class Crowd(IGrainFactory grains, string group, string topic) : IAsyncDisposable
    {
        private readonly List<Member> _members = [];
        private CancellationTokenSource _stop = new();

        public void Add(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var member = new Member(grains, group, topic);
                _members.Add(member);
                member.Start(_stop.Token);
            }
        }

        public HashSet<(Member, PartitionId)> Owned() => [.. _members.SelectMany(member => member.Owned.Select(partition => (member, partition)))];

        /// <summary>Until so many members are in and share so many partitions evenly, each owned by one.</summary>
        public async Task AwaitAsync(int partitions, int joined)
        {
            var clock = Stopwatch.StartNew();
            while (!IsSettled(partitions, joined))
            {
                if (clock.Elapsed > s_patience)
                    throw new InvalidOperationException($"group {group}: {_members.SelectMany(member => member.Owned).Distinct().Count()} of {partitions} partitions are owned");
                await Task.Delay(5);
            }
        }

        private bool IsSettled(int partitions, int joined)
        {
            var shares = _members.ConvertAll(member => member.Owned);
            return _members.Count(member => member.Epoch > 0) == joined
                && shares.Sum(share => share.Length) == partitions
                && shares.SelectMany(share => share).Distinct().Count() == partitions
                && shares.Max(share => share.Length) - shares.Min(share => share.Length) <= 1;
        }

        public async Task StopBeatingAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_members.Select(member => member.Beating));
            _stop = new CancellationTokenSource();
        }

        /// <summary>Heartbeats that say nothing new, of all members in turn; how many were answered.</summary>
        public async Task<int> BeatAsync(int perSecond, TimeSpan duration)
        {
            var total = (int)(perSecond * duration.TotalSeconds);
            var beats = new List<Task>(total);
            var start = Stopwatch.GetTimestamp();
            for (var sent = 0; sent < total; sent++)
            {
                SteadyLatency.WaitUntil(start + (long)((double)sent / perSecond * Stopwatch.Frequency));
                beats.Add(_members[sent % _members.Count].BeatAsync());
            }

            await Task.WhenAll(beats).WaitAsync(TimeSpan.FromSeconds(30));
            return total;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_members.Select(member => member.Beating));
            _stop.Dispose();
        }
    }

    private sealed class Member(IGrainFactory grains, string group, string topic)
    {
        private readonly string _id = Guid.NewGuid().ToString();

        public int Epoch { get; private set; }

        public ImmutableArray<PartitionId> Owned { get; private set; } = [];

        public Task Beating { get; private set; } = Task.CompletedTask;

        private IGroupMemberGrain Grain => grains.GetGrain<IGroupMemberGrain>(IGroupMemberGrain.KeyOf(group, _id));

        public void Start(CancellationToken stop) => Beating = Task.Run(() => RunAsync(stop));

        public async Task BeatAsync()
        {
            if ((await Grain.HeartbeatAsync(new ConsumerGroupHeartbeat { MemberId = _id, MemberEpoch = Epoch })).Error is var error and not Abstractions.ErrorCode.None)
                throw new InvalidOperationException($"a heartbeat of {group} was answered {error}");
        }

        private async Task RunAsync(CancellationToken stop)
        {
            var (news, first) = (false, true);
            while (!stop.IsCancellationRequested)
            {
                var beat = new ConsumerGroupHeartbeat { MemberId = _id, MemberEpoch = Epoch };
                if (first)
                    beat = beat with { RebalanceTimeout = TimeSpan.FromMinutes(5), SubscribedTopics = [topic], OwnedPartitions = [] };
                else if (news)
                    beat = beat with { OwnedPartitions = Owned };
                var reply = await Grain.HeartbeatAsync(beat);
                if (reply.Error != Abstractions.ErrorCode.None)
                    throw new InvalidOperationException($"a heartbeat of {group} was answered {reply.Error}: {reply.Message}");
                (Epoch, first, news) = (reply.MemberEpoch, false, reply.Assignment is not null);
                if (reply.Assignment is { } assigned)
                    Owned = assigned;
                if (!news)
                    await Task.Delay(reply.HeartbeatInterval, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
