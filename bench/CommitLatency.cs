using System.Diagnostics;
using System.Net;
using System.Threading.Channels;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;

namespace Granary.Bench;

/// <summary>
/// An open loop of offset commits: one partition each, of many groups, a raw connection for each group. Latency counts from the time a commit was
/// due until its answer, which says that it is on disk.
/// </summary>
internal static class CommitLatency
{
    public const int Groups = 50;

    private const short Version = 7;

    public static async Task<(Latencies Latencies, double PerSecond)> RunAsync(string bootstrap, string topic, int partitions, int commitsPerSecond, TimeSpan duration)
    {
        var total = (int)(commitsPerSecond * duration.TotalSeconds);
        var latencies = new Latencies(total);
        var run = Guid.NewGuid().ToString("N");
        var members = new List<Member>();
        for (var index = 0; index < Groups; index++)
            members.Add(await Member.StartAsync(bootstrap, $"bench-{run}-{index}", topic, partitions));
        var receiving = members.Select(member => Task.Run(() => member.ReceiveAsync(latencies))).ToArray();
        var start = Stopwatch.GetTimestamp();
        for (var sent = 0; sent < total; sent++)
        {
            var due = start + (long)((double)sent / commitsPerSecond * Stopwatch.Frequency);
            SteadyLatency.WaitUntil(due);
            await members[sent % Groups].SendAsync(due, sent);
        }

        foreach (var member in members)
            member.Finish();
        await Task.WhenAll(receiving).WaitAsync(TimeSpan.FromSeconds(30));
        var perSecond = total / Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (var member in members)
            await member.DisposeAsync();
        return (latencies, perSecond);
    }

    private sealed class Member(KafkaWire wire, string group, string topic, int partitions) : IAsyncDisposable
    {
        private readonly Channel<(int Id, long Due)> _sent = Channel.CreateUnbounded<(int Id, long Due)>();

        public static async Task<Member> StartAsync(string bootstrap, string group, string topic, int partitions)
        {
            var member = new Member(await KafkaWire.ConnectAsync(IPEndPoint.Parse(bootstrap)), group, topic, partitions);

            // The first commit makes the group; it is not part of the measurement.
            await member.SendAsync(Stopwatch.GetTimestamp(), 0);
            var (first, _) = await member._sent.Reader.ReadAsync();
            member.Check(await member.ReadAsync(first));
            return member;
        }

        public async Task SendAsync(long due, int number)
        {
            var request = new OffsetCommitRequest
            {
                GroupId = group,
                GenerationIdOrMemberEpoch = -1,
                MemberId = "",
                Topics =
                [
                    new()
                    {
                        Name = topic,
                        Partitions = [new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = number / Groups % partitions, CommittedOffset = number, CommittedLeaderEpoch = 0, CommittedMetadata = "" }],
                    },
                ],
            };
            _sent.Writer.TryWrite((await wire.SendAsync(OffsetCommitRequest.ApiKey, Version, writer => request.Write(writer, Version)), due));
        }

        public void Finish() => _sent.Writer.Complete();

        public async Task ReceiveAsync(Latencies latencies)
        {
            await foreach (var (id, due) in _sent.Reader.ReadAllAsync())
            {
                Check(await ReadAsync(id));
                latencies.Add(Stopwatch.GetElapsedTime(due));
            }
        }

        public ValueTask DisposeAsync() => wire.DisposeAsync();

        private Task<OffsetCommitResponse> ReadAsync(int id) => wire.ReceiveAsync(id, OffsetCommitRequest.IsFlexible(Version), OffsetCommitResponse.Read, Version);

        private void Check(OffsetCommitResponse response)
        {
            if (response.Topics[0].Partitions[0].ErrorCode is var error and not 0)
                throw new InvalidOperationException($"a commit of {group} was answered {error}");
        }
    }
}
