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
internal sealed class WireReader : IChaosClient
{
    private const short MetadataVersion = 12;
    private const short FetchVersion = 16;
    private const int MaxWaitMs = 200;
    private const int MaxBytes = 1 << 20;
    private const short OffsetOutOfRange = 1;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(20);

    private readonly int _number;
    private readonly ChaosTopic _topic;
    private readonly ReaderPlaces _places;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    public WireReader(int number, ChaosTopic topic, HistoryFile history)
    {
        (_number, _topic) = (number, topic);
        _places = new ReaderPlaces(number, topic.Partitions, history);
        _reading = Task.WhenAll(Enumerable.Range(0, topic.Partitions).Select(partition => Task.Run(() => ReadAsync(partition))));
    }

    public string? Failure { get; private set; }

    public async Task FinishAsync(IReadOnlyList<long> ends)
    {
        Failure ??= await _places.AwaitAsync(ends);
        await _stop.CancelAsync();
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _stop.Dispose();
    }

    private async Task ReadAsync(int partition)
    {
        _places.Position(partition);
        for (var turn = partition; !_stop.IsCancellationRequested && Failure is null; turn++)
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
                Failure ??= $"reader {_number} of partition {partition}: {failure.Message}";
            }

            await Task.Delay(s_retryDelay, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Asks one silo after the other; null where the one whose turn it is does not know.</summary>
    private async Task<Leader?> FindLeaderAsync(int partition, int turn)
    {
        var silos = _topic.Bootstrap.Split(',');
        using var limit = Limit();
        await using var wire = await KafkaWire.ConnectAsync(IPEndPoint.Parse(silos[turn % silos.Length]), limit.Token);
        var request = new MetadataRequest { Topics = [new() { Name = _topic.Name }] };
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
        while (!_stop.IsCancellationRequested)
        {
            using var limit = Limit();
            var offset = _places.Next(partition);
            var answer = await wire.FetchAsync(RequestOf(partition, leader, offset), FetchVersion, limit.Token);
            if (answer.ErrorCode != 0 || answer.Responses is not [{ Partitions: [var given] }])
                return;
            if (given.ErrorCode == OffsetOutOfRange && given.LogStartOffset > offset)
                _places.Skip(partition, given.LogStartOffset);
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
                    _places.Read(partition, record.Offset, record.Value!.Value.Span);
            }

            next = header.EndOffset;
        }
    }

    private CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
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
