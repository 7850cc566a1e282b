using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Fetching;

/// <summary>One partition of one Fetch request: what is asked, and what is known so far.</summary>
internal sealed class PartitionFetch(FetchedPartition fetched, IsolationLevel isolation)
{
    private static readonly ReadResult s_unread = Failed(ErrorCode.None);

    private Task<ReadResult>? _reading;

    public FetchedPartition Fetched { get; } = fetched;

    public FetchAsk Ask { get; } = fetched.Ask;

    public IsolationLevel Isolation { get; } = isolation;

    /// <summary>Null: the client does not say, or at too great length.</summary>
    public string? ClientId { get; init; }

    /// <summary>Null while it is not found.</summary>
    public PartitionReference? Partition { get; set; }

    public ReadResult Result { get; set; } = s_unread;

    public bool IsRead => !ReferenceEquals(Result, s_unread);

    /// <summary>The wait for more than <see cref="Result"/> shows; null where none is.</summary>
    public PartitionWait? Wait { get; set; }

    /// <summary>Bytes that the read now going on may give.</summary>
    public int GrantedBytes { get; private set; }

    /// <summary>Exclusive end of what the client may see, as the result says; -1 where it says nothing.</summary>
    public long Bound => Isolation == IsolationLevel.ReadCommitted ? Result.LastStableOffset : Result.HighWatermark;

    /// <summary>The log holds what was asked for, but the limits left no room for it.</summary>
    public bool IsStarved => Result.Error == ErrorCode.None && Result.Records.IsEmpty && Bound > Ask.Offset;

    public FetchNews News => new(Result.Error, Result.HighWatermark, Result.LogStartOffset, Result.Records.Length);

    public static ReadResult Failed(ErrorCode error) => new(error, -1, -1, -1, -1, RecordBytes.Empty);

    public void StartRead(int maxBytes, bool strict)
    {
        GrantedBytes = maxBytes;
        try
        {
            _reading = Partition!.Grain.ReadAsync(new ReadRequest(Ask.Offset, maxBytes, Ask.LeaderEpoch, Isolation, strict, ClientId));
        }
        catch (Exception failure)
        {
            _reading = Task.FromException<ReadResult>(failure);
        }
    }

    public async ValueTask TakeReadAsync(Apis.PartitionFailures failures, ClusterView cluster)
    {
        try
        {
            Result = await _reading!;
            cluster.Learn(Partition!.Id, Result.LeaderEpoch);
        }
        catch (Exception failure)
        {
            Result = Failed(failures.ToErrorCode(Partition!.Id, failure));
        }

        _reading = null;
    }
}
