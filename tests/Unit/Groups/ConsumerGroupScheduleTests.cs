using System.Collections.Immutable;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Granary.Abstractions.Groups;
using Granary.Grains.Groups;
using Granary.Unit.Partitions;

namespace Granary.Unit.Groups;

/// <summary>
/// Random schedules of joins, leaves, silence, votes for an assignor, commits, topics that change and crashes between any two steps, of coordinators that may go
/// on beside their successors. Always: no partition used, and none committed, by two members; no epoch goes back; no member fenced that did nothing wrong; no
/// target that moves more than balance takes. Then quiet: all is owned, within a bounded number of heartbeats.
/// </summary>
public sealed class ConsumerGroupScheduleTests
{
    private const int Schedules = 1_500;
    private const int IntervalMs = 500;

    private static readonly ConsumerGroupOptions s_options = new()
    {
        SessionTimeout = TimeSpan.FromSeconds(6),
        AssignmentInterval = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>Heartbeats: the dead are noticed after 12, a lost nudge is made good after 4, a client may dawdle over each of a few revocations.</summary>
    private const int MostRounds = 60;

    [Fact]
    public void RandomSchedules_KeepEveryPartitionToOneMember_AndBecomeStable()
    {
        var tallies = new ConsumerGroupTallies();
        Seeds.Run(Schedules, random => tallies.Add(Live(random)));

        // What never happens proves nothing.
        Assert.True(tallies.Commits > Schedules && tallies.StaleCommits > Schedules, $"{tallies}");
        Assert.True(tallies.ZombieAnswers > Schedules / 2 && tallies.SavesRefused > Schedules / 10 && tallies.Astray > Schedules / 10 && tallies.Ranges > Schedules / 2, $"{tallies}");
    }

    private static ConsumerGroupTallies Live(Random random)
    {
        var world = new ConsumerGroupWorld(random, s_options);
        AddTopic(world, random);
        AddTopic(world, random);
        world.ChangeTopics();
        for (var step = 0; step < 120; step++)
            Act(world, random);

        world.IsQuiet = true;
        world.LosesNudges = random.Next(2) == 0;
        var rounds = 0;
        do
        {
            Round(world);
            Assert.True(++rounds <= MostRounds, $"not stable after {rounds} heartbeats: {world.Group.State}, {world.DescribeUnsettled()}");
        }
        while (!world.IsSettled() || world.Group.Members.Count != world.Alive.Count());
        world.AssertAllAreOwned();

        AssertStaysSo(world);
        return world.Tallies;
    }

    /// <summary>Nothing changes, a coordinator's move changes nothing, and who is a member may commit and nobody else.</summary>
    private static void AssertStaysSo(ConsumerGroupWorld world)
    {
        var epoch = world.Group.GroupEpoch;
        var targets = world.Group.Members.ToDictionary(member => member.MemberId, member => member.Assigned);
        for (var round = 0; round < 6; round++)
        {
            world.Crash();
            Round(world);
        }

        Assert.Equal(epoch, world.Group.GroupEpoch);
        foreach (var member in world.Group.Members)
            Assert.Equal(targets[member.MemberId], member.Assigned);
        world.AssertAllAreOwned();
        foreach (var client in world.Clients)
        {
            var expected = client.IsAlive ? ErrorCode.None : ErrorCode.UnknownMemberId;
            Assert.Equal(world.Group.Members.Count == 0 && client.Epoch < 0 ? ErrorCode.None : expected, world.Group.CheckCommit(client.MemberId, client.Epoch));
            world.Commit(client);
        }

        AssertAssignorIsTheOneMostAskFor(world);
    }

    private static void AssertAssignorIsTheOneMostAskFor(ConsumerGroupWorld world)
    {
        var members = world.Group.Members;
        if (members.Count == 0)
            return;
        var asked = world.Clients.Where(client => client is { IsAlive: true, Assignor: not null }).ToDictionary(client => client.MemberId, client => client.Assignor);
        Assert.All(members, member => Assert.Equal(asked.GetValueOrDefault(member.MemberId, member.ServerAssignor), member.ServerAssignor));
        var (uniform, range) = (members.Count(member => member.ServerAssignor == "uniform"), members.Count(member => member.ServerAssignor == "range"));
        Assert.Equal(uniform + range > 0 && range >= uniform ? "range" : "uniform", world.Group.AssignorName);
    }

    [Fact]
    public void JoinOfAFourth_MovesAQuarter_AndPausesNothingElse() => Seeds.Run(200, random =>
    {
        var world = new ConsumerGroupWorld(random, s_options) { IsQuiet = true, LosesNudges = false };
        world.Topics.Add(new ConsumerGroupTopic("a", Guid.NewGuid(), 12));
        world.ChangeTopics();
        for (var place = 0; place < 3; place++)
            AddClient(world, random, ["a"], "");
        for (var round = 0; !world.IsSettled(); round++)
        {
            Assert.InRange(round, 0, MostRounds);
            Round(world);
        }

        var before = world.Clients.ToDictionary(client => client, client => client.Owned.ToHashSet());
        AddClient(world, random, ["a"], "");
        var rounds = 0;
        do
        {
            Round(world);
            Assert.InRange(++rounds, 1, 30);
            foreach (var (client, owned) in before)
                Assert.InRange(owned.Except(client.Owned).Count(), 0, 1);
        }
        while (!world.IsSettled());
        world.AssertAllAreOwned();
        Assert.Equal(3, world.Clients[3].Owned.Count);
    });

    private static void Act(ConsumerGroupWorld world, Random random)
    {
        var seats = world.Classics.Where(client => client.IsAlive).ToArray();
        if (random.Next(2) == 0)
            ActAsClassic(world, seats.Length == 0 ? null : seats[random.Next(seats.Length)], seats.Length, random);
        var alive = world.Clients.Where(client => client.IsAlive).ToArray();
        var some = alive.Length == 0 ? null : alive[random.Next(alive.Length)];
        switch (random.Next(40))
        {
            case 0 or 1 when alive.Length < 6:
                AddClient(world, random, TopicsOf(world, random), random.Next(4) == 0 ? "t.*" : "");
                break;
            case 2 when some is not null:
                Leave(world, some, ConsumerGroupHeartbeat.Leave);
                break;
            case 3 when some is not null:
                some.Stop();
                break;
            case 4 when some?.InstanceId is not null:
                // Restarted: another process with the same instance id.
                Leave(world, some, ConsumerGroupHeartbeat.LeaveForAWhile);
                var again = new ConsumerGroupClient($"m{random.Next()}", some.InstanceId, random);
                again.Subscribe(TopicsOf(world, random), "");
                world.Clients.Add(again);
                break;
            case 5 when some is not null:
                some.Subscribe(TopicsOf(world, random), random.Next(4) == 0 ? "t.*" : "");
                break;
            case 6 when world.Topics.Count < 5:
                AddTopic(world, random);
                world.ChangeTopics();
                break;
            case 7 when world.Topics.Count > 0:
                var place = random.Next(world.Topics.Count);
                world.Topics[place] = world.Topics[place] with { PartitionCount = world.Topics[place].PartitionCount + 1 };
                world.ChangeTopics();
                break;
            case 8 when world.Topics.Count > 1 && random.Next(3) == 0:
                world.Topics.RemoveAt(random.Next(world.Topics.Count));
                world.ChangeTopics();
                break;
            case 9 when random.Next(4) == 0:
                // Everybody is silent for longer than a session, and may find itself removed.
                world.SuspectAll();
                world.Pass(7_000);
                break;
            case 10:
                world.Crash();
                break;
            case 11 when random.Next(3) == 0:
                world.Split();
                break;
            case 12 when some is not null && world.HasVotes:
                some.Prefer(random.Next(2) == 0 ? "range" : "uniform");
                break;
            case 13 or 14 or 15 or 16 when world.Clients.Count > 0:
                world.Commit(world.Clients[random.Next(world.Clients.Count)]);
                break;
            default:
                world.Pass(random.Next(40));
                if (some is not null)
                    world.Beat(some);
                break;
        }
    }

    private static void Leave(ConsumerGroupWorld world, ConsumerGroupClient client, int epoch)
    {
        client.Stop();
        world.Say(client.Leaving(epoch));
    }

    private static void Round(ConsumerGroupWorld world)
    {
        world.Pass(IntervalMs);
        foreach (var client in world.Clients.Where(client => client.IsAlive).ToArray())
            world.Beat(client);
        foreach (var client in world.Classics.Where(client => client.IsAlive).ToArray())
            world.Act(client);
    }

    /// <summary>What members that speak the classic protocol do; the group has them among the others (online migration).</summary>
    private static void ActAsClassic(ConsumerGroupWorld world, ConsumerGroupClassicClient? some, int count, Random random)
    {
        switch (random.Next(20))
        {
            case 0 when count < 3:
                AddClassic(world, random, random.Next(3) == 0 ? $"i{random.Next()}" : null);
                break;
            case 1 when some is not null:
                some.Stop();
                break;
            case 2 when some?.InstanceId is not null:
                // Restarted, without a word and without its member id: another process with the same instance id.
                some.Stop();
                AddClassic(world, random, some.InstanceId);
                break;
            case 3 when some is not null:
                some.Subscribe(TopicsOf(world, random));
                break;
            default:
                if (some is not null)
                    world.Act(some);
                break;
        }
    }

    private static void AddClassic(ConsumerGroupWorld world, Random random, string? instanceId)
    {
        var client = new ConsumerGroupClassicClient($"c{random.Next()}", instanceId, isCooperative: random.Next(2) == 0);
        client.Subscribe(TopicsOf(world, random));
        world.Classics.Add(client);
    }

    private static void AddClient(ConsumerGroupWorld world, Random random, ImmutableArray<string> topics, string regex)
    {
        var client = new ConsumerGroupClient($"m{random.Next()}", random.Next(3) == 0 ? $"i{random.Next()}" : null, random);
        client.Subscribe(topics, regex);
        world.Clients.Add(client);
    }

    private static void AddTopic(ConsumerGroupWorld world, Random random)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        world.Topics.Add(new ConsumerGroupTopic($"{(random.Next(2) == 0 ? "t" : "u")}{random.Next()}", new Guid(bytes), random.Next(1, 9)));
    }

    private static ImmutableArray<string> TopicsOf(ConsumerGroupWorld world, Random random) => random.Next(2) == 0
        ? [.. world.Topics.Select(topic => topic.Name)]
        : [.. world.Topics.Where(_ => random.Next(2) == 0).Select(topic => topic.Name)];
}
