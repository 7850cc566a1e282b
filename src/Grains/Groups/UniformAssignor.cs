using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>
/// The server's `uniform` assignor: as even as the subscriptions allow, and as few moves as that takes. Members keep what they have; what nobody
/// has goes to the subscriber with the fewest partitions; then partitions move, one at a time along the shortest chain of members, from one that has
/// at least two more than the one at the chain's end, until there is no such chain. No chain left means that the sum of squared shares is
/// the least there is (Harvey, Ladner, Lovász, Tamir: semi-matchings); for equal subscriptions that is balance within one.
/// </summary>
internal static class UniformAssignor
{
    public const string Name = "uniform";

    public static Dictionary<string, PartitionId[]> Assign(IReadOnlyList<AssignorMember> members, IReadOnlyDictionary<Guid, int> partitionCounts)
    {
        var shares = ConsumerGroupAssignors.Ordered(members).Select((member, place) => new Share(member, place)).ToArray();
        var subscribers = partitionCounts.Keys.ToDictionary(topicId => topicId, topicId => Array.FindAll(shares, share => share.Member.Topics.Contains(topicId)));
        GiveOut(shares, subscribers, partitionCounts);
        Level(shares, subscribers);
        return shares.ToDictionary(share => share.Member.MemberId, share => share.ToPartitions(), StringComparer.Ordinal);
    }

    private static void GiveOut(Share[] shares, Dictionary<Guid, Share[]> subscribers, IReadOnlyDictionary<Guid, int> partitionCounts)
    {
        var taken = new HashSet<PartitionId>();
        foreach (var share in shares)
        {
            foreach (var partition in share.Member.Current.Order(PartitionOrder.Instance))
            {
                if (share.Member.Topics.Contains(partition.TopicId)
                    && partition.Index < partitionCounts.GetValueOrDefault(partition.TopicId)
                    && taken.Add(partition))
                    share.Add(partition);
            }
        }

        // Topics with few subscribers first: those have the least choice, and what is given out last evens it out.
        foreach (var (topicId, able) in subscribers.OrderBy(topic => topic.Value.Length).ThenBy(topic => topic.Key))
        {
            if (able.Length == 0)
                continue;
            var byCount = new PriorityQueue<int, (int Count, int Place)>(able.Select((share, place) => (place, (share.Count, place))));
            for (var index = 0; index < partitionCounts[topicId]; index++)
            {
                if (!taken.Add(new PartitionId(topicId, index)))
                    continue;
                var place = byCount.Dequeue();
                able[place].Add(new PartitionId(topicId, index));
                byCount.Enqueue(place, (able[place].Count, place));
            }
        }
    }

    private static void Level(Share[] shares, Dictionary<Guid, Share[]> subscribers)
    {
        // Every chain lowers the sum of squares, so this ends. A pass without a change means that there is no chain left.
        for (var changed = true; changed;)
        {
            changed = false;
            var least = shares.Length == 0 ? 0 : shares.Min(share => share.Count);

            // Who has most gives next: else one could give more than it has to, and be given something again.
            var byCount = new PriorityQueue<int, (int Fewer, int Place)>(shares.Select((share, place) => (place, (-share.Count, place))));
            while (byCount.TryDequeue(out var place, out var order) && -order.Fewer >= least + 2)
            {
                if (shares[place].Count != -order.Fewer || TryMove(shares[place], subscribers) is not { } taker)
                    continue;
                changed = true;
                byCount.Enqueue(place, (-shares[place].Count, place));
                byCount.Enqueue(taker.Place, (-taker.Count, taker.Place));
            }
        }
    }

    /// <summary>Looks, breadth first, for whoever has least among those that a chain of moves from that member ends at, moves along it, and says who it is.</summary>
    private static Share? TryMove(Share from, Dictionary<Guid, Share[]> subscribers)
    {
        var reached = new Dictionary<Share, (Share Giver, Guid TopicId)> { [from] = default };
        var topics = new HashSet<Guid>();
        var waiting = new Queue<Share>([from]);
        var least = from;
        while (waiting.TryDequeue(out var giver))
        {
            foreach (var topicId in giver.Topics)
            {
                if (!topics.Add(topicId))
                    continue;
                foreach (var taker in subscribers[topicId])
                {
                    if (!reached.TryAdd(taker, (giver, topicId)))
                        continue;
                    waiting.Enqueue(taker);
                    if (taker.Count < least.Count)
                        least = taker;
                }
            }
        }

        if (from.Count < least.Count + 2)
            return null;
        for (var taker = least; taker != from;)
        {
            var (giver, topicId) = reached[taker];
            taker.Add(giver.RemoveLast(topicId));
            taker = giver;
        }

        return least;
    }

    /// <summary>What one member gets, by topic.</summary>
    private sealed class Share(AssignorMember member, int place)
    {
        private readonly SortedDictionary<Guid, SortedSet<int>> _byTopic = [];

        public AssignorMember Member { get; } = member;

        /// <summary>In the order of members.</summary>
        public int Place { get; } = place;

        public int Count { get; private set; }

        public IEnumerable<Guid> Topics => _byTopic.Keys;

        public void Add(PartitionId partition)
        {
            if (!_byTopic.TryGetValue(partition.TopicId, out var indexes))
                _byTopic.Add(partition.TopicId, indexes = []);
            indexes.Add(partition.Index);
            Count++;
        }

        public PartitionId RemoveLast(Guid topicId)
        {
            var indexes = _byTopic[topicId];
            var last = indexes.Max;
            indexes.Remove(last);
            if (indexes.Count == 0)
                _byTopic.Remove(topicId);
            Count--;
            return new PartitionId(topicId, last);
        }

        public PartitionId[] ToPartitions() => [.. _byTopic.SelectMany(topic => topic.Value.Select(index => new PartitionId(topic.Key, index)))];
    }
}
