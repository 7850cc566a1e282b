using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Grains.Partitions;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Clients;

/// <summary>One partition's log in memory, with Kafka's rules for producers' sequences.</summary>
public sealed class FakePartition(FakeCluster cluster) : IPartitionGrain
{
    private readonly Lock _gate = new();
    private readonly List<(RecordBatchHeader Header, byte[] Bytes)> _batches = [];
    private readonly Dictionary<long, RecordBatchHeader> _producers = [];
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long LogStart { get; set; }

    /// <summary>Stamped into what is appended from now on.</summary>
    public int LeaderEpoch { get; set; }

    public long End { get; private set; }

    /// <summary>Answers appends with this where set.</summary>
    public ErrorCode Refusal { get; set; }

    /// <summary>The client ids of all who have read it.</summary>
    public ConcurrentBag<string?> Readers { get; } = [];

    public IReadOnlyList<byte[]> Batches
    {
        get
        {
            lock (_gate)
                return [.. _batches.Select(batch => batch.Bytes)];
        }
    }

    public async Task<AppendResult> AppendAsync(AppendRequest request)
    {
        await cluster.AppendsMayGoOn;
        var fate = cluster.Losses();
        if (fate == CallFate.NotLeader)
            return AppendResult.Refused(ErrorCode.NotLeaderOrFollower);
        if (fate == CallFate.NeverArrives)
            throw new TimeoutException("the call was lost");
        var result = Append(request.Batch.ToContiguous().ToArray());
        return fate == CallFate.AnswerIsLost ? throw new TimeoutException("the answer was lost") : result;
    }

    public Task<ReadResult> ReadAsync(ReadRequest request)
    {
        Readers.Add(request.ClientId);
        lock (_gate)
        {
            if (request.Offset < LogStart || request.Offset > End)
                return Task.FromResult(new ReadResult(ErrorCode.OffsetOutOfRange, End, End, LogStart, 0, RecordBytes.Empty));
            var found = new List<ReadOnlyMemory<byte>>();
            var size = 0;
            foreach (var (header, bytes) in _batches.Where(batch => batch.Header.EndOffset > request.Offset))
            {
                if (found.Count > 0 && size + bytes.Length > request.MaxBytes)
                    break;
                found.Add(bytes);
                size += bytes.Length;
            }

            return Task.FromResult(new ReadResult(ErrorCode.None, End, End, LogStart, 0, RecordBytes.Of(found)));
        }
    }

    public async Task WaitAsync(WaitRequest request)
    {
        Task grown;
        lock (_gate)
        {
            cluster.WaitCalls++;
            if (End > request.Offset)
                return;
            grown = _grown.Task;
        }

        await Task.WhenAny(grown, Task.Delay(request.MaxWait));
    }

    public Task<OffsetResult> FindOffsetAsync(OffsetQuery query)
    {
        lock (_gate)
        {
            var offset = query.Timestamp switch
            {
                OffsetQuery.Earliest => LogStart,
                OffsetQuery.Latest => End,
                var time => RecordBatchReader.ReadAll(_batches.SelectMany(batch => batch.Bytes).ToArray())
                    .Where(record => record.Timestamp >= time)
                    .Select(record => (long?)record.Offset)
                    .FirstOrDefault() ?? -1,
            };
            return Task.FromResult(new OffsetResult(ErrorCode.None, offset, -1, 0));
        }
    }

    public Task<EpochEndResult> FindEpochEndAsync(int leaderEpoch, int currentLeaderEpoch) => throw new NotSupportedException();

    public Task<RangeSize> MeasureAsync(OffsetRange range) => throw new NotSupportedException();

    public Task<DeleteRecordsResult> DeleteRecordsAsync(long beforeOffset) => throw new NotSupportedException();

    public Task ApplyRetentionAsync() => throw new NotSupportedException();

    public Task<LagResult> MeasureLagAsync(long offset) => throw new NotSupportedException();

    public Task<PartitionDescription> DescribeAsync() => throw new NotSupportedException();

    public Task DeleteAsync() => throw new NotSupportedException();

    public Task MoveAsync(Orleans.Runtime.SiloAddress from, Orleans.Runtime.SiloAddress to) => throw new NotSupportedException();

    /// <summary>Appends a batch as it is, whatever it holds.</summary>
    public AppendResult Append(byte[] batch)
    {
        lock (_gate)
        {
            if (Refusal != ErrorCode.None)
                return AppendResult.Refused(Refusal);
            var verdict = RecordBatchCheck.Check(batch);
            if (!verdict.IsAccepted)
                return AppendResult.Refused(verdict.Error, verdict.Message);
            var header = verdict.Header;
            if (AppendCheck.Refuse(header, batch.Length, TopicConfigs.Parse(cluster.Topic!.Overrides), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()) is { } refusal)
                return AppendResult.Refused(refusal.Error, refusal.Message);
            if (Duplicate(header) is { } first)
                return new AppendResult(ErrorCode.None, first.BaseOffset, -1, LogStart, 0);
            if (header.HasProducerId && CheckSequence(header) is var error && error != ErrorCode.None)
                return AppendResult.Refused(error);
            RecordBatchHeader.StampBaseOffset(batch, End);
            RecordBatchHeader.StampLeaderEpoch(batch, LeaderEpoch);
            header = header with { BaseOffset = End };
            _producers[header.ProducerId] = header;
            _batches.Add((header, batch));
            End = header.EndOffset;
            _grown.SetResult();
            _grown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new AppendResult(ErrorCode.None, header.BaseOffset, -1, LogStart, 0);
        }
    }

    private RecordBatchHeader? Duplicate(RecordBatchHeader header) => !header.HasProducerId ? null : _batches
        .Select(batch => batch.Header)
        .Where(old => old.ProducerId == header.ProducerId && old.ProducerEpoch == header.ProducerEpoch)
        .TakeLast(5)
        .Where(old => old.BaseSequence == header.BaseSequence && old.RecordCount == header.RecordCount)
        .Select(old => (RecordBatchHeader?)old)
        .FirstOrDefault();

    private ErrorCode CheckSequence(RecordBatchHeader header)
    {
        if (!_producers.TryGetValue(header.ProducerId, out var last) || last.ProducerEpoch < header.ProducerEpoch)
            return header.BaseSequence == 0 ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
        if (last.ProducerEpoch > header.ProducerEpoch)
            return ErrorCode.InvalidProducerEpoch;
        return header.BaseSequence == RecordBatchHeader.IncrementSequence(last.LastSequence, 1) ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
    }
}
