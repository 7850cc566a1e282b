using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;
using Granary.Unit.Partitions;

namespace Granary.Unit.Groups;

/// <summary>The server's assignors, against what they promise and against every assignment there is.</summary>
public sealed class ConsumerGroupAssignorTests
{
    [Fact]
    public void Uniform_WithEqualSubscriptions_IsWithinOneAndMovesTheLeast() => Seeds.Run(400, random =>
    {
        var topics = Topics(random, 4, 12);
        var subscription = topics.Keys.ToHashSet();
        var members = Enumerable.Range(0, random.Next(1, 9)).Select(place => Member($"m{random.Next()}-{place}", subscription)).ToList();
        var before = Run(UniformAssignor.Assign, random, members, topics);
        AssertComplete(before, members, topics);
        AssertEven(before);
        for (var step = 0; step < 8; step++)
        {
            var isJoin = members.Count < 2 || random.Next(2) == 0;
            var leaver = isJoin ? null : members[random.Next(members.Count)];
            members = [.. members.Where(member => member != leaver).Select(member => member with { Current = before[member.MemberId] })];
            var joiner = Member($"m{random.Next()}", subscription);
            if (isJoin)
                members.Add(joiner);
            var after = Run(UniformAssignor.Assign, random, members, topics);
            AssertComplete(after, members, topics);
            AssertEven(after);

            // What moves is what the joiner gets, at most a share rounded down; or what the leaver had. Not a partition more.
            var moved = Moved(before, after);
            var least = isJoin ? after[joiner.MemberId].Length : before[leaver!.MemberId].Length;
            Assert.Equal(least, moved);
            if (isJoin)
                Assert.Equal(topics.Values.Sum() / members.Count, moved);
            before = after;
        }
    });

    [Fact]
    public void Uniform_WithMixedSubscriptions_IsAsEvenAsTheyAllow() => Seeds.Run(400, random =>
    {
        var topics = Topics(random, 3, 2);
        var members = Enumerable.Range(0, random.Next(1, 4))
            .Select(place => Member($"m{place}", [.. topics.Keys.Where(_ => random.Next(3) > 0)]))
            .Select(member => member with { Current = [.. Partitions(topics).Where(_ => random.Next(3) == 0)] })
            .ToList();
        var assigned = Run(UniformAssignor.Assign, random, members, topics);
        AssertComplete(assigned, members, topics);
        Assert.Equal(LeastSquares(members, [.. Partitions(topics)], 0, new int[members.Count]), assigned.Values.Sum(partitions => (long)partitions.Length * partitions.Length));
    });

    [Fact]
    public void Uniform_WithMixedSubscriptions_StaysWhereItIsEvenAlready() => Seeds.Run(300, random =>
    {
        var topics = Topics(random, 6, 10);
        var members = Enumerable.Range(0, random.Next(1, 10)).Select(place => Member($"m{place}", [.. topics.Keys.Where(_ => random.Next(2) == 0)])).ToList();
        var before = Run(UniformAssignor.Assign, random, members, topics);
        members = [.. members.Select(member => member with { Current = before[member.MemberId] })];
        Assert.Equal(0, Moved(before, Run(UniformAssignor.Assign, random, members, topics)));

        // One more partition: it goes to somebody, and no more moves than a chain through every member.
        var grown = topics.ToDictionary(topic => topic.Key, topic => topic.Value);
        var topicId = topics.Keys.ElementAt(random.Next(topics.Count));
        grown[topicId]++;
        var after = Run(UniformAssignor.Assign, random, members, grown);
        AssertComplete(after, members, grown);
        Assert.InRange(Moved(before, after), 0, members.Count);
    });

    [Fact]
    public void Uniform_WhenAStaticMemberComesBackUnderAnotherId_MovesNothing() => Seeds.Run(100, random =>
    {
        var topics = Topics(random, 3, 9);
        var subscription = topics.Keys.ToHashSet();
        var members = Enumerable.Range(0, random.Next(1, 6)).Select(place => Member($"m{place}", subscription) with { InstanceId = $"i{place}" }).ToList();
        var before = UniformAssignor.Assign(members, topics);
        var renamed = members.Select(member => member with { MemberId = $"{random.Next()}", Current = before[member.MemberId] }).ToList();
        var after = UniformAssignor.Assign(renamed, topics);
        for (var place = 0; place < members.Count; place++)
            Assert.Equal(before[members[place].MemberId], after[renamed[place].MemberId]);
    });

    [Fact]
    public void Range_TakesRunsAndCutsTopicsAlike() => Seeds.Run(300, random =>
    {
        var count = random.Next(1, 20);
        var topics = Enumerable.Range(0, random.Next(1, 4)).ToDictionary(_ => NewGuid(random), _ => count);
        var subscription = topics.Keys.ToHashSet();
        var members = Enumerable.Range(0, random.Next(1, 9)).Select(place => Member($"m{random.Next()}-{place}", subscription)).ToList();
        var assigned = Run(RangeAssignor.Assign, random, members, topics);
        AssertComplete(assigned, members, topics);
        foreach (var partitions in assigned.Values)
        {
            var runs = partitions.GroupBy(partition => partition.TopicId).Select(topic => topic.Select(partition => partition.Index).ToArray()).ToArray();
            foreach (var run in runs)
            {
                Assert.Equal(Enumerable.Range(run[0], run.Length), run);
                Assert.Equal(runs[0], run);
                Assert.InRange(run.Length, count / members.Count, (count / members.Count) + 1);
            }
        }
    });

    [Fact]
    public void Range_WithMixedSubscriptions_AssignsAll() => Seeds.Run(300, random =>
    {
        var topics = Topics(random, 5, 8);
        var members = Enumerable.Range(0, random.Next(0, 8)).Select(place => Member($"m{place}", [.. topics.Keys.Where(_ => random.Next(2) == 0)])).ToList();
        AssertComplete(Run(RangeAssignor.Assign, random, members, topics), members, topics);
    });

    [Theory]
    [InlineData(1_000, 1_000)]
    [InlineData(100, 10_000)]
    public void Uniform_OfALargeGroup_IsEven(int memberCount, int partitionCount)
    {
        var topics = new Dictionary<Guid, int> { [Guid.NewGuid()] = partitionCount };
        var subscription = topics.Keys.ToHashSet();
        var members = Enumerable.Range(0, memberCount).Select(place => Member($"m{place}", subscription)).ToList();
        members[0] = members[0] with { Current = [.. Partitions(topics)] };
        AssertEven(UniformAssignor.Assign(members, topics));
    }

    /// <summary>The assignment, the same whatever order the members come in.</summary>
    private static Dictionary<string, PartitionId[]> Run(Assignor assignor, Random random, List<AssignorMember> members, Dictionary<Guid, int> topics)
    {
        var assigned = assignor(members, topics);
        var shuffled = members.ToArray();
        random.Shuffle(shuffled);
        foreach (var (memberId, partitions) in assignor(shuffled, topics.Reverse().ToDictionary()))
            Assert.Equal(assigned[memberId], partitions);
        return assigned;
    }

    private static void AssertComplete(Dictionary<string, PartitionId[]> assigned, List<AssignorMember> members, Dictionary<Guid, int> topics)
    {
        Assert.Equal(members.Select(member => member.MemberId).Order(), assigned.Keys.Order());
        var subscribed = Partitions(topics).Where(partition => members.Any(member => member.Topics.Contains(partition.TopicId)));
        Assert.Equal(subscribed.Order(PartitionOrder.Instance), assigned.Values.SelectMany(partitions => partitions).Order(PartitionOrder.Instance));
        foreach (var member in members)
            Assert.All(assigned[member.MemberId], partition => Assert.Contains(partition.TopicId, member.Topics));
    }

    private static void AssertEven(Dictionary<string, PartitionId[]> assigned) =>
        Assert.InRange(assigned.Values.Max(partitions => partitions.Length) - assigned.Values.Min(partitions => partitions.Length), 0, 1);

    private static int Moved(Dictionary<string, PartitionId[]> before, Dictionary<string, PartitionId[]> after)
    {
        var owners = before.SelectMany(member => member.Value.Select(partition => (partition, member.Key))).ToDictionary(pair => pair.partition, pair => pair.Key);
        return after.Sum(member => member.Value.Count(partition => owners.TryGetValue(partition, out var owner) && owner != member.Key));
    }

    private static long LeastSquares(List<AssignorMember> members, PartitionId[] partitions, int next, int[] counts)
    {
        if (next == partitions.Length)
            return counts.Sum(count => (long)count * count);
        var least = long.MaxValue;
        for (var place = 0; place < members.Count; place++)
        {
            if (!members[place].Topics.Contains(partitions[next].TopicId))
                continue;
            counts[place]++;
            least = Math.Min(least, LeastSquares(members, partitions, next + 1, counts));
            counts[place]--;
        }

        return least == long.MaxValue ? LeastSquares(members, partitions, next + 1, counts) : least;
    }

    private static AssignorMember Member(string memberId, HashSet<Guid> topics) => new(memberId, null, topics, []);

    private static Dictionary<Guid, int> Topics(Random random, int most, int mostPartitions) =>
        Enumerable.Range(0, random.Next(1, most + 1)).ToDictionary(_ => NewGuid(random), _ => random.Next(1, mostPartitions + 1));

    private static IEnumerable<PartitionId> Partitions(Dictionary<Guid, int> topics) =>
        topics.SelectMany(topic => Enumerable.Range(0, topic.Value).Select(index => new PartitionId(topic.Key, index)));

    private static Guid NewGuid(Random random)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
