using System.Diagnostics;
using Confluent.Kafka;
using Granary.Support;

namespace Granary.Bench;

/// <summary>
/// Three Confluent.Kafka consumers of the classic protocol on twelve partitions, of which one is killed or leaves: from then until the two that are left have
/// been assigned all twelve.
/// </summary>
internal static class ClassicRebalance
{
    private const int Partitions = 12;
    private const int SessionMs = 6_000;
    private const int HeartbeatMs = 100;
    private const int Slack = 500;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    public static async Task RunAsync(ResultTable table, int rounds)
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        await using var client = await ClusterClient.ConnectAsync(silo.PostgresConnectionString, "granary");
        await new Abstractions.Clients.LogAdmin(client.Grains).CreateTopicAsync("classic", Partitions);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (name, strategy) in new[] { ("eager", PartitionAssignmentStrategy.Range), ("cooperative", PartitionAssignmentStrategy.CooperativeSticky) })
            {
                var group = $"classic-{name}-{round}";
                table.Add($"classic, {name}: a member of 3 is killed, its session {SessionMs:N0} ms", "ms", await MeasureAsync(silo, group + "-killed", strategy, leaves: false), $"{SessionMs + Slack:N0}");
                table.Add($"classic, {name}: a member of 3 leaves", "ms", await MeasureAsync(silo, group + "-left", strategy, leaves: true), $"{Slack}");
            }
        }
    }

    private static async Task<double> MeasureAsync(SiloProcess silo, string group, PartitionAssignmentStrategy strategy, bool leaves)
    {
        var members = Enumerable.Range(0, 3).Select(_ => new Member(silo.KafkaBootstrap, group, strategy)).ToList();
        try
        {
            await AwaitAsync(members, group);
            var clock = Stopwatch.StartNew();
            await members[0].EndAsync(leaves);
            members.RemoveAt(0);
            await AwaitAsync(members, group, clock);
            return clock.Elapsed.TotalMilliseconds;
        }
        finally
        {
            await Task.WhenAll(members.Select(member => member.EndAsync(leaves: true)));
        }
    }

    /// <summary>Until these members share all partitions.</summary>
    private static async Task AwaitAsync(List<Member> members, string group, Stopwatch? since = null)
    {
        since ??= Stopwatch.StartNew();
        while (members.Sum(member => member.Owned) != Partitions || members.Exists(member => member.Owned == 0))
        {
            if (since.Elapsed > s_patience)
                throw new InvalidOperationException($"group {group}: {members.Sum(member => member.Owned)} of {Partitions} partitions are owned");
            await Task.Delay(2);
        }
    }

    private sealed class Member
    {
        private readonly Task _living;
        private volatile int _owned;
        private volatile bool _ends;
        private bool _leaves;

        public Member(string bootstrap, string group, PartitionAssignmentStrategy strategy)
        {
            var settings = new ConsumerConfig
            {
                BootstrapServers = bootstrap,
                GroupId = group,
                SessionTimeoutMs = SessionMs,
                HeartbeatIntervalMs = HeartbeatMs,
                PartitionAssignmentStrategy = strategy,
                EnableAutoCommit = false,
            };
            _living = Task.Factory.StartNew(() => Live(settings), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        public int Owned => _owned;

        /// <summary>Told to; without leaving it ends as a process does that is killed.</summary>
        public Task EndAsync(bool leaves)
        {
            (_leaves, _ends) = (leaves, true);
            return _living;
        }

        private void Live(ConsumerConfig settings)
        {
            using var consumer = new ConsumerBuilder<Ignore, Ignore>(settings)
                .SetLogHandler((_, _) => { })
                .SetErrorHandler((_, _) => { })
                .SetPartitionsAssignedHandler((_, given) => { _owned += given.Count; })
                .SetPartitionsRevokedHandler((_, taken) => { _owned -= taken.Count; })
                .SetPartitionsLostHandler((_, taken) => { _owned -= taken.Count; })
                .Build();
            consumer.Subscribe("classic");
            while (!_ends)
                consumer.Consume(TimeSpan.FromMilliseconds(5));
            if (_leaves)
                consumer.Close();
        }
    }
}
