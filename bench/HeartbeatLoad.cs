using System.Diagnostics;
using System.Net;
using Granary.Gateway.Kafka.Wire;
using Granary.Support;
using Granary.Support.Kafka;

namespace Granary.Bench;

/// <summary>
/// One group of the consumer protocol (KIP-848) as Kafka clients are in it: each member on a connection of its own, one heartbeat in flight at a time. What
/// 10,000 heartbeats a second cost the silo that say nothing new, sockets and frames included.
/// </summary>
internal static class HeartbeatLoad
{
    private const int Members = 1_000;
    private const int HeartbeatsPerSecond = 10_000;

    private static readonly TimeSpan s_warming = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_measured = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    public static async Task RunAsync(ResultTable table)
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        await using var client = await ClusterClient.ConnectAsync(silo.PostgresConnectionString, "granary");
        await new Abstractions.Clients.LogAdmin(client.Grains).CreateTopicAsync("beaten", Members);
        var members = new List<Member>();
        for (var number = 0; number < Members; number++)
            members.Add(await Member.ConnectAsync(silo.KafkaBootstrap, $"member-{number}"));
        await SettleAsync(members);

        // What a server does in its first half minute of this is the runtime's compiler's work: it is not measured.
        await BeatAsync(members, s_warming);
        Console.Error.WriteLine($"  heartbeats to process {silo.ProcessId}");
        var shares = new ProcessorShares(silo);
        var clock = Stopwatch.StartNew();
        var answered = await BeatAsync(members, s_measured);
        table.Add("heartbeats of 1,000 Kafka clients", "/s", answered / clock.Elapsed.TotalSeconds, "10,000 in 0.5 cores", shares.SinceThen());
        foreach (var member in members)
            await member.DisposeAsync();
    }

    /// <summary>Until every member has its one partition.</summary>
    private static async Task SettleAsync(List<Member> members)
    {
        var clock = Stopwatch.StartNew();
        while (members.Sum(member => member.Owned) < Members || members.Exists(member => member.Owned != 1))
        {
            if (clock.Elapsed > s_patience)
                throw new InvalidOperationException($"{members.Count(member => member.Owned == 1)} of {Members} members have their partition");
            foreach (var batch in members.Chunk(50))
                await Task.WhenAll(batch.Select(member => member.BeatAsync()));
        }
    }

    /// <summary>Heartbeats of all members in turn, at fixed times; how many were answered. A member that has not been answered yet is passed over, as clients do.</summary>
    private static async Task<int> BeatAsync(List<Member> members, TimeSpan duration)
    {
        var total = (int)(HeartbeatsPerSecond * duration.TotalSeconds);
        var last = new Task[members.Count];
        Array.Fill(last, Task.CompletedTask);
        var sent = 0;
        var start = Stopwatch.GetTimestamp();
        for (var due = 0; due < total; due++)
        {
            SteadyLatency.WaitUntil(start + (long)((double)due / HeartbeatsPerSecond * Stopwatch.Frequency));
            var member = due % members.Count;
            if (!last[member].IsCompleted)
                continue;
            await last[member];
            last[member] = members[member].BeatAsync();
            sent++;
        }

        await Task.WhenAll(last).WaitAsync(TimeSpan.FromSeconds(30));
        return sent;
    }

    private sealed class Member(KafkaWire wire, string id) : IAsyncDisposable
    {
        private const short Version = 1;

        private ConsumerGroupHeartbeatRequest _next = new()
        {
            GroupId = "beaten",
            MemberId = id,
            MemberEpoch = 0,
            RebalanceTimeoutMs = 300_000,
            SubscribedTopicNames = ["beaten"],
            TopicPartitions = [],
        };

        public int Owned { get; private set; }

        public static async Task<Member> ConnectAsync(string bootstrap, string id) => new(await KafkaWire.ConnectAsync(IPEndPoint.Parse(bootstrap)), id);

        public async Task BeatAsync()
        {
            var correlationId = await wire.SendAsync(ConsumerGroupHeartbeatRequest.ApiKey, Version, writer => _next.Write(writer, Version));
            var answer = await wire.ReceiveAsync(correlationId, true, ConsumerGroupHeartbeatResponse.Read, Version);
            if (answer.ErrorCode != 0)
                throw new InvalidOperationException($"a heartbeat of {id} was answered {answer.ErrorCode}: {answer.ErrorMessage}");
            if (answer.Assignment is not null || answer.MemberEpoch != _next.MemberEpoch || _next.TopicPartitions is not null)
                _next = new() { GroupId = "beaten", MemberId = id, MemberEpoch = answer.MemberEpoch, TopicPartitions = TakeUp(answer) };
        }

        public ValueTask DisposeAsync() => wire.DisposeAsync();

        /// <summary>What it owns from now on, to be said with the next heartbeat; null: nothing is new.</summary>
        private List<ConsumerGroupHeartbeatRequest.ConsumerGroupHeartbeatOwnedPartitions>? TakeUp(ConsumerGroupHeartbeatResponse answer)
        {
            if (answer.Assignment is not { } assignment)
                return null;
            Owned = assignment.TopicPartitions.Sum(topic => topic.Partitions.Count);
            return [.. assignment.TopicPartitions.Select(topic => new ConsumerGroupHeartbeatRequest.ConsumerGroupHeartbeatOwnedPartitions { TopicId = topic.TopicId, Partitions = topic.Partitions })];
        }
    }
}
