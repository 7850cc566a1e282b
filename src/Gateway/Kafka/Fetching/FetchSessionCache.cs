using Granary.Abstractions;

namespace Granary.Gateway.Kafka.Fetching;

/// <param name="Epoch">0 opens a session, -1 ends one or does without, all else goes on with one.</param>
internal readonly record struct FetchSessionAsk(int SessionId, int Epoch, bool UsesTopicIds)
{
    public const int NoSession = 0;
    public const int OpeningEpoch = 0;
    public const int FinalEpoch = -1;

    public bool IsFull => Epoch is OpeningEpoch or FinalEpoch;
}

/// <summary>What one Fetch request asks for, its session's memory included.</summary>
/// <param name="Error">None, or why the request as a whole is refused.</param>
/// <param name="Session">The session it goes on with; null where it has none (yet).</param>
/// <param name="OpensSession">True: the client would like one.</param>
/// <param name="Partitions">In the order in which they are to be read.</param>
internal sealed record FetchPlan(
    ErrorCode Error,
    FetchSession? Session,
    bool OpensSession,
    bool UsesTopicIds,
    List<FetchedPartition> Partitions);

/// <summary>
/// The fetch sessions of this process (KIP-227), a bounded number of them with a bounded number of partitions. Where all places are taken, a new one takes the place of one not
/// used for <see cref="KafkaOptions.FetchSessionEviction"/>, else of the smallest one older than that if it is no larger than the new one; else there is none
/// for it and the client fetches without. Safe for many threads.
/// </summary>
internal sealed class FetchSessionCache(KafkaOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Entry> _byId = [];
    private readonly LinkedList<Entry> _byUse = new();
    private readonly SortedSet<Entry> _evictable = new(Comparer<Entry>.Create(Compare));
    private long _partitions;
    private int _nextId = Random.Shared.Next(1, int.MaxValue);

    public int Count
    {
        get
        {
            lock (_gate)
                return _byId.Count;
        }
    }

    /// <summary>What a request asks for: goes on with its session, or ends it.</summary>
    public FetchPlan Begin(FetchSessionAsk asked, IReadOnlyList<FetchAsk> asks, IReadOnlyList<FetchKey> forgotten)
    {
        lock (_gate)
        {
            if (asked.IsFull)
            {
                if (asked.SessionId != FetchSessionAsk.NoSession)
                    Remove(asked.SessionId);
                var opens = asked.Epoch == FetchSessionAsk.OpeningEpoch;
                return new FetchPlan(ErrorCode.None, null, opens, asked.UsesTopicIds, [.. asks.Select(ask => new FetchedPartition(ask))]);
            }

            return Continue(asked, asks, forgotten);
        }
    }

    /// <summary>
    /// Tells which answers belong into the reply (true at their place), and opens the session that the plan asked for. The
    /// news are in the order of the plan's partitions. The number is the session's, 0 without one.
    /// </summary>
    public int Finish(FetchPlan plan, ReadOnlySpan<FetchNews> news, Span<bool> isNews)
    {
        lock (_gate)
        {
            for (var i = 0; i < news.Length; i++)
            {
                var partition = plan.Partitions[i];
                if (plan.Session is { } session)
                {
                    isNews[i] = session.Tell(partition, news[i]);
                }
                else
                {
                    // Without a session all is answered; with one to be, the client is taken to know it from now on.
                    partition.Tell(news[i]);
                    isNews[i] = true;
                }
            }

            if (plan.Session is not null)
                return plan.Session.Id;
            return plan.OpensSession ? Open(plan) : FetchSessionAsk.NoSession;
        }
    }

    private FetchPlan Continue(FetchSessionAsk asked, IReadOnlyList<FetchAsk> asks, IReadOnlyList<FetchKey> forgotten)
    {
        if (!_byId.TryGetValue(asked.SessionId, out var entry))
            return Refuse(asked, ErrorCode.FetchSessionIdNotFound);
        var session = entry.Session;
        var error = session.Advance(asked.Epoch, asked.UsesTopicIds);
        if (error != ErrorCode.None)
            return Refuse(asked, error);
        session.Update(asks, forgotten);
        var partitions = session.InTurn();
        if (session.Count is 0 || _partitions - entry.Size + session.Count > options.MaxFetchSessionPartitions)
        {
            // Kafka ends a session that has become empty, and answers without one; one that has grown too large is ended likewise.
            Remove(session.Id);
            return new FetchPlan(ErrorCode.None, null, false, asked.UsesTopicIds, partitions);
        }

        Touch(entry);
        return new FetchPlan(ErrorCode.None, session, false, asked.UsesTopicIds, partitions);
    }

    private static FetchPlan Refuse(FetchSessionAsk asked, ErrorCode error) => new(error, null, false, asked.UsesTopicIds, []);

    private int Open(FetchPlan plan)
    {
        if (plan.Partitions.Count == 0 || !MakeRoom(plan.Partitions.Count))
            return FetchSessionAsk.NoSession;
        var entry = new Entry(new FetchSession(NewId(), plan.UsesTopicIds, plan.Partitions), time.GetTimestamp());
        _byId[entry.Session.Id] = entry;
        entry.Place = _byUse.AddLast(entry);
        SetSize(entry, entry.Session.Count);
        return entry.Session.Id;
    }

    private int NewId()
    {
        while (true)
        {
            var id = _nextId;
            _nextId = id == int.MaxValue ? 1 : id + 1;
            if (!_byId.ContainsKey(id))
                return id;
        }
    }

    private bool MakeRoom(int size)
    {
        if (_partitions + size > options.MaxFetchSessionPartitions)
            return false;
        if (_byId.Count < options.FetchSessionSlots)
            return true;
        var oldest = _byUse.First!.Value;
        if (time.GetElapsedTime(oldest.LastUsed) > options.FetchSessionEviction)
        {
            Remove(oldest.Session.Id);
            return true;
        }

        if (_evictable.Min is not { } smallest || smallest.Size > size)
            return false;
        Remove(smallest.Session.Id);
        return true;
    }

    private void Touch(Entry entry)
    {
        _byUse.Remove(entry.Place!);
        _byUse.AddLast(entry.Place!);
        entry.LastUsed = time.GetTimestamp();
        _evictable.Remove(entry);
        SetSize(entry, entry.Session.Count);
        if (time.GetElapsedTime(entry.CreatedAt) > options.FetchSessionEviction)
            _evictable.Add(entry);
    }

    private void Remove(int id)
    {
        if (!_byId.Remove(id, out var entry))
            return;
        _byUse.Remove(entry.Place!);
        _evictable.Remove(entry);
        SetSize(entry, 0);
    }

    private void SetSize(Entry entry, int size)
    {
        _partitions += size - entry.Size;
        entry.Size = size;
    }

    private static int Compare(Entry? one, Entry? other)
    {
        var bySize = one!.Size.CompareTo(other!.Size);
        return bySize != 0 ? bySize : one.Session.Id.CompareTo(other.Session.Id);
    }

    private sealed class Entry(FetchSession session, long createdAt)
    {
        public FetchSession Session { get; } = session;

        public long CreatedAt { get; } = createdAt;

        public long LastUsed { get; set; } = createdAt;

        /// <summary>Partitions when it was used last: what it is sorted by.</summary>
        public int Size { get; set; }

        public LinkedListNode<Entry>? Place { get; set; }
    }
}
