using Granary.Abstractions;

namespace Granary.Gateway.Kafka.Fetching;

/// <summary>Names a partition as the client does: by topic id (Fetch 13 and later) or by topic name, the other of the two being empty.</summary>
internal readonly record struct FetchKey(Guid TopicId, string Topic, int Index);

/// <param name="Offset">First offset wanted.</param>
/// <param name="MaxBytes">Of this partition's records, in one answer.</param>
/// <param name="LeaderEpoch">The leader epoch the client believes in, or -1.</param>
internal readonly record struct FetchAsk(FetchKey Key, long Offset, int MaxBytes, int LeaderEpoch);

/// <summary>What of a partition's answer the client may have to be told.</summary>
internal readonly record struct FetchNews(ErrorCode Error, long HighWatermark, long LogStartOffset, int RecordsBytes);

/// <summary>A partition that a client fetches, and what it was told of it last.</summary>
internal sealed class FetchedPartition(FetchAsk ask)
{
    private const long Untold = -1;

    private long _highWatermark = Untold;
    private long _logStartOffset = Untold;

    public FetchAsk Ask { get; internal set; } = ask;

    /// <summary>Takes note of an answer; true where it holds anything that the client does not know (Kafka: CachedPartition.maybeUpdateResponseData).</summary>
    internal bool Tell(FetchNews news)
    {
        var isNews = news.RecordsBytes > 0 || news.Error != ErrorCode.None;
        if (_highWatermark != news.HighWatermark)
        {
            isNews = true;
            _highWatermark = news.HighWatermark;
        }

        if (_logStartOffset != news.LogStartOffset)
        {
            isNews = true;
            _logStartOffset = news.LogStartOffset;
        }

        // After an error everything is news again.
        if (news.Error != ErrorCode.None)
            _highWatermark = Untold;
        return isNews;
    }
}

/// <summary>
/// An incremental fetch session (KIP-227): the partitions that a client fetches, so that its requests name only what changed and its
/// answers hold only what is new. Legal course: made with epoch 1 expected next; every request with the expected epoch moves it on by
/// one, past the largest integer to 1; any other epoch is refused and changes nothing. Not safe for many threads: <see cref="FetchSessionCache"/> locks.
/// </summary>
internal sealed class FetchSession
{
    private readonly Dictionary<FetchKey, LinkedListNode<FetchedPartition>> _byKey = [];
    private readonly LinkedList<FetchedPartition> _inTurn = new();

    internal FetchSession(int id, bool usesTopicIds, IEnumerable<FetchedPartition> partitions)
    {
        Id = id;
        UsesTopicIds = usesTopicIds;
        foreach (var partition in partitions)
        {
            if (!_byKey.ContainsKey(partition.Ask.Key))
                _byKey[partition.Ask.Key] = _inTurn.AddLast(partition);
        }
    }

    public int Id { get; }

    /// <summary>The session's requests all name topics by id, or all by name.</summary>
    public bool UsesTopicIds { get; }

    public int Count => _byKey.Count;

    /// <summary>What the next request must carry.</summary>
    public int ExpectedEpoch { get; private set; } = 1;

    /// <summary>Moves the session on by a request; or says why it is refused.</summary>
    public ErrorCode Advance(int epoch, bool usesTopicIds)
    {
        if (epoch != ExpectedEpoch)
            return ErrorCode.InvalidFetchSessionEpoch;
        if (usesTopicIds != UsesTopicIds)
            return ErrorCode.FetchSessionTopicIdError;
        ExpectedEpoch = epoch == int.MaxValue ? 1 : epoch + 1;
        return ErrorCode.None;
    }

    /// <summary>Takes up what a request adds or asks differently, and drops what it forgets.</summary>
    public void Update(IEnumerable<FetchAsk> asks, IEnumerable<FetchKey> forgotten)
    {
        foreach (var ask in asks)
        {
            if (_byKey.TryGetValue(ask.Key, out var known))
                known.Value.Ask = ask;
            else
                _byKey[ask.Key] = _inTurn.AddLast(new FetchedPartition(ask));
        }

        foreach (var key in forgotten)
        {
            if (_byKey.Remove(key, out var gone))
                _inTurn.Remove(gone);
        }
    }

    /// <summary>The partitions, those first whose records are due longest.</summary>
    public List<FetchedPartition> InTurn() => [.. _inTurn];

    /// <summary>True where the answer belongs into the reply. A partition that gives records goes to the end of the line.</summary>
    public bool Tell(FetchedPartition partition, FetchNews news)
    {
        var isNews = partition.Tell(news);
        if (news.RecordsBytes > 0 && _byKey.TryGetValue(partition.Ask.Key, out var place) && place.Value == partition)
        {
            _inTurn.Remove(place);
            _inTurn.AddLast(place);
        }

        return isNews;
    }
}
