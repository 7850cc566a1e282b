using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>A partition in memory: appends, reads and waits as the contract says, and does what a test tells it to.</summary>
internal sealed class FakePartition : IPartitionGrain
{
    private readonly Lock _gate = new();
    private readonly List<(long Base, long End, ReadOnlyMemory<byte> Bytes)> _batches = [];
    private readonly Dictionary<Guid, (long Offset, TaskCompletionSource Done)> _waits = [];
    private readonly TaskCompletionSource _isAskedToAppend = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _end;

    /// <summary>Ends when the first append is under way.</summary>
    public Task FirstAppend => _isAskedToAppend.Task;

    public List<byte[]> Appended { get; } = [];

    public int Reads;

    /// <summary>Appends that were refused as told.</summary>
    public int Refused;

    public int Waits;

    /// <summary>Appends are answered when it ends.</summary>
    public Task AppendGate { get; set; } = Task.CompletedTask;

    /// <summary>The next calls fail so.</summary>
    public Func<Exception>? Failure { get; set; }

    /// <summary>The next calls are refused so.</summary>
    public ErrorCode Refusal { get; set; }

    /// <summary>Where every epoch ended; null: at the log's end.</summary>
    public long? EpochEnd { get; set; }

    public long End
    {
        get
        {
            lock (_gate)
                return _end;
        }
    }

    public int WaitersCount
    {
        get
        {
            lock (_gate)
                return _waits.Count;
        }
    }

    public async Task<AppendResult> AppendAsync(AppendRequest request)
    {
        if (Failure is { } failure)
            throw failure();
        if (Refusal != ErrorCode.None)
        {
            Interlocked.Increment(ref Refused);
            return AppendResult.Refused(Refusal, "as told", leaderEpoch: 7);
        }

        long offset;
        lock (_gate)
        {
            var bytes = request.Batch.ToContiguous();
            Appended.Add(bytes.ToArray());
            RecordBatchHeader.TryRead(bytes.Span, out var header);
            offset = _end;
            _end += header.RecordCount;
            _batches.Add((offset, _end, bytes));
        }

        _isAskedToAppend.TrySetResult();
        await AppendGate;
        Wake();
        return new AppendResult(ErrorCode.None, offset, -1, 0, 7);
    }

    public async Task<ReadResult> ReadAsync(ReadRequest request)
    {
        Interlocked.Increment(ref Reads);
        await Task.Yield();
        if (Failure is { } failure)
            throw failure();
        if (Refusal != ErrorCode.None)
            return new ReadResult(Refusal, -1, -1, -1, 7, RecordBytes.Empty);
        lock (_gate)
        {
            if (request.Offset < 0 || request.Offset > _end)
                return new ReadResult(ErrorCode.OffsetOutOfRange, _end, _end, 0, 7, RecordBytes.Empty);
            var pieces = new List<ReadOnlyMemory<byte>>();
            var room = request.MaxBytes;
            foreach (var batch in _batches.Where(batch => batch.End > request.Offset))
            {
                var isFirst = pieces.Count == 0;
                if (batch.Bytes.Length > room && (!isFirst || request.Strict))
                    break;
                room -= batch.Bytes.Length;
                pieces.Add(batch.Bytes);
            }

            return new ReadResult(ErrorCode.None, _end, _end, 0, 7, RecordBytes.Of(pieces));
        }
    }

    public async Task WaitAsync(WaitRequest request)
    {
        Interlocked.Increment(ref Waits);
        TaskCompletionSource done;
        lock (_gate)
        {
            if (_end > request.Offset)
                return;
            done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_waits.Remove(request.ReaderId, out var former))
                former.Done.TrySetResult();
            _waits[request.ReaderId] = (request.Offset, done);
        }

        await Task.WhenAny(done.Task, Task.Delay(request.MaxWait));
    }

    private void Wake()
    {
        lock (_gate)
        {
            foreach (var (reader, wait) in _waits.Where(wait => wait.Value.Offset < _end).ToList())
            {
                _waits.Remove(reader);
                wait.Done.TrySetResult();
            }
        }
    }

    public Task<OffsetResult> FindOffsetAsync(OffsetQuery query) =>
        Task.FromResult(new OffsetResult(ErrorCode.None, query.Timestamp == OffsetQuery.Latest ? End : 0, -1, 7));

    public Task<EpochEndResult> FindEpochEndAsync(int leaderEpoch, int currentLeaderEpoch) =>
        Task.FromResult(new EpochEndResult(ErrorCode.None, 7, EpochEnd ?? End));

    /// <summary>Checks, but keeps all.</summary>
    public Task<RangeSize> MeasureAsync(OffsetRange range) => throw new NotSupportedException();

    public Task<DeleteRecordsResult> DeleteRecordsAsync(long beforeOffset) =>
        Task.FromResult(beforeOffset < -1 || beforeOffset > End ? new DeleteRecordsResult(ErrorCode.OffsetOutOfRange, -1) : new DeleteRecordsResult(ErrorCode.None, 0));

    public Task ApplyRetentionAsync() => throw new NotSupportedException();

    public Task<LagResult> MeasureLagAsync(long offset) => throw new NotSupportedException();

    public Task<PartitionDescription> DescribeAsync() => throw new NotSupportedException();

    public Task DeleteAsync() => throw new NotSupportedException();

    public Task MoveAsync(Orleans.Runtime.SiloAddress from, Orleans.Runtime.SiloAddress to) => throw new NotSupportedException();
}
