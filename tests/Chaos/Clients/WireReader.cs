using System.Net;
using System.Net.Sockets;
using Granary.Abstractions.Records;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Histories;
using Granary.Support.Kafka;

namespace Granary.Chaos.Clients;

/// <summary>
/// Reads all partitions by Fetch requests and nothing else, so that what is missing was not given: a client library is not between. Each answer must begin with
/// the batch that holds the offset which was asked for, and each batch must follow the one before it.
/// </summary>
internal sealed class WireReader : ChaosReader
{
    private const short MetadataVersion = 12;
    private const short FetchVersion = 16;
    private const int MaxWaitMs = 200;
    private const int MaxBytes = 1 << 20;
    private const short OffsetOutOfRange = 1;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(20);

    public WireReader(int number, ChaosTopic topic, HistoryFile history)
        : base(number, topic, history) =>
        Begin(Task.WhenAll(Enumerable.Range(0, topic.Partitions).Select(partition => Task.Run(() => ReadAsync(partition)))));

    private async Task ReadAsync(int partition)
    {
        Places.Position(partition);
        for (var turn = partition; !Stopping.IsCancellationRequested && Failure is null; turn++)
        {
            try
            {
                if (await FindLeaderAsync(partition, turn) is { } leader)
                    await ReadAtAsync(partition, leader);
            }
            catch (Exception passing) when (passing is OperationCanceledException or SocketException or EndOfStreamException)
            {
                // Whoever was asked is away, or this reader is finished.
            }
            catch (Exception failure)
            {
                Failure ??= $"reader {Number} of partition {partition}: {failure.Message}";
            }

            await Task.Delay(s_retryDelay, Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Asks one silo after the other; null where the one whose turn it is does not know.</summary>
    private async Task<Leader?> FindLeaderAsync(int partition, int turn)
    {
        var silos = Topic.Bootstrap.Split(',');
        using var limit = Limit();
        await using var wire = await KafkaWire.ConnectAsync(IPEndPoint.Parse(silos[turn % silos.Length]), limit.Token);
        var request = new MetadataRequest { Topics = [new() { Name = Topic.Name }] };
        var id = await wire.SendAsync(MetadataRequest.ApiKey, MetadataVersion, writer => request.Write(writer, MetadataVersion), limit.Token);
        var answer = await wire.ReceiveAsync(id, true, MetadataResponse.Read, MetadataVersion, limit.Token);
        var topic = answer.Topics.Single();
        if (topic.Partitions.Find(one => one.PartitionIndex == partition) is not { } told || answer.Brokers.Find(one => one.NodeId == told.LeaderId) is not { } broker)
            return null;
        return new Leader(new IPEndPoint(IPAddress.Parse(broker.Host), broker.Port), topic.TopicId, told.LeaderEpoch);
    }

    /// <summary>Fetches until it is told to go elsewhere.</summary>
    private async Task ReadAtAsync(int partition, Leader leader)
    {
        using var connecting = Limit();
        await using var wire = await KafkaWire.ConnectAsync(leader.At, connecting.Token);
        while (!Stopping.IsCancellationRequested)
        {
            using var limit = Limit();
            var offset = Places.Next(partition);
            var answer = await wire.FetchAsync(RequestOf(partition, leader, offset), FetchVersion, limit.Token);
            if (answer.ErrorCode != 0 || answer.Responses is not [{ Partitions: [var given] }])
                return;
            if (given.ErrorCode == OffsetOutOfRange && given.LogStartOffset > offset)
                Places.Skip(partition, given.LogStartOffset);
            else if (given.ErrorCode == OffsetOutOfRange)
                throw new InvalidDataException($"offset {offset} is said to be out of range by {leader}, whose log goes from {given.LogStartOffset} to {given.HighWatermark}");
            else if (given.ErrorCode != 0)
                return;
            Take(partition, leader, offset, given);
        }
    }

    private void Take(int partition, Leader leader, long offset, FetchResponse.PartitionData given)
    {
        var rest = given.Records?.ToContiguous() ?? default;
        var next = offset;
        while (RecordBatchReader.TryTakeBatch(ref rest, out var batch))
        {
            var reader = new RecordBatchReader(batch);
            var header = reader.Header;
            if (next == offset ? header.BaseOffset > next || header.EndOffset <= next : header.BaseOffset != next)
                throw new InvalidDataException($"asked for offset {offset}, {leader} with high watermark {given.HighWatermark} gave a batch of offsets {header.BaseOffset} to {header.EndOffset} and of epoch {header.PartitionLeaderEpoch} where {next} follows");
            while (reader.TryRead(out var record))
            {
                if (record.Offset >= next)
                    Places.Read(partition, record.Offset, record.Value!.Value.Span);
            }

            next = header.EndOffset;
        }
    }

    private CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(Stopping);
        limit.CancelAfter(s_patience);
        return limit;
    }

    private static FetchRequest RequestOf(int partition, Leader leader, long offset) => new()
    {
        MaxWaitMs = MaxWaitMs,
        MinBytes = 1,
        MaxBytes = MaxBytes,
        Topics =
        [
            new()
            {
                TopicId = leader.TopicId,
                Partitions = [new() { Partition = partition, CurrentLeaderEpoch = leader.Epoch, FetchOffset = offset, PartitionMaxBytes = MaxBytes }],
            },
        ],
    };

    private sealed record Leader(IPEndPoint At, Guid TopicId, int Epoch);
}
