using Granary.Abstractions.Groups;
using Granary.Grains.Groups;
using Granary.Unit.Partitions;

namespace Granary.Unit.Groups;

/// <summary>
/// Random schedules in which members of both protocols come and go, so that the group changes its protocol again and again (KIP-848, bidirectional), in the middle of
/// rebalances too, and its coordinator crashes between any two steps. Always: no partition used by two members; no generation or epoch goes back or is told twice;
/// what is over commits nothing. Then quiet: the group speaks the protocol of who is there, and all is owned.
/// </summary>
public sealed class MigrationScheduleTests
{
    private const int Schedules = 1_500;
    private const int IntervalMs = 500;
    private const int MostRounds = 120;

    [Fact]
    public void RandomSchedules_OfBothProtocols_KeepEveryPartitionToOneMember_AndBecomeStable()
    {
        var tallies = new MigrationTallies();
        Seeds.Run(Schedules, random => tallies.Add(Live(random)));

        // What never happens proves nothing.
        Assert.True(tallies.Upgrades > Schedules && tallies.Downgrades > Schedules, $"{tallies}");
        Assert.True(tallies.UpgradesMidway > Schedules / 2 && tallies.DowngradesMidway > Schedules / 10 && tallies.Called > Schedules, $"{tallies}");
        Assert.True(tallies.Crashes > Schedules && tallies.Commits > Schedules && tallies.Refused > Schedules, $"{tallies}");
    }

    private static MigrationTallies Live(Random random)
    {
        var world = new MigrationWorld(random);
        var isCooperative = random.Next(2) == 0;
        for (var step = 0; step < 150; step++)
            Act(world, isCooperative, random);

        world.IsQuiet = true;
        if (world.Classics.Concat<object>(world.Consumers).Any() && !world.Classics.Any(client => client.IsAlive) && !world.Consumers.Any(client => client.IsAlive))
            AddClassic(world, isCooperative, null, random);
        if (!world.Classics.Any(client => client.IsAlive) && !world.Consumers.Any(client => client.IsAlive))
            return world.Tallies;
        var rounds = 0;
        do
        {
            Round(world);
            Assert.True(++rounds <= MostRounds, $"not stable after {rounds} heartbeats: {world}");
        }
        while (!world.IsSettled());
        world.AssertAllAreOwned();

        // A coordinator's move changes nothing.
        var generation = world.Generation;
        for (var move = 0; move < 3; move++)
        {
            world.Crash();
            Round(world);
            Round(world);
            Assert.Equal(generation, world.Generation);
            world.AssertAllAreOwned();
        }

        return world.Tallies;
    }

    private static void Act(MigrationWorld world, bool isCooperative, Random random)
    {
        var classics = world.Classics.Where(client => client.IsAlive).ToArray();
        var consumers = world.Consumers.Where(client => client.IsAlive).ToArray();
        var classic = classics.Length == 0 ? null : classics[random.Next(classics.Length)];
        var consumer = consumers.Length == 0 ? null : consumers[random.Next(consumers.Length)];
        switch (random.Next(40))
        {
            case 0 or 1 when classics.Length < 4:
                AddClassic(world, isCooperative, random.Next(3) == 0 ? $"i{random.Next()}" : null, random);
                break;
            case 2 when consumers.Length < 3:
                AddConsumer(world, random.Next(3) == 0 ? $"i{random.Next()}" : null, random);
                break;
            case 3 or 4 when consumer is not null:
                world.Leave(consumer, ConsumerGroupHeartbeat.Leave);
                break;
            case 5 when consumer is not null && random.Next(3) == 0:
                consumer.Stop();
                break;
            case 6 when classic is not null && random.Next(3) == 0:
                classic.Stop();
                break;
            case 7 when classic is { Generation: >= 0 } && random.Next(2) == 0:
                world.Leave(classic);
                break;
            case 8 or 9 when classic?.InstanceId is not null:
                // Restarted: another process with the same instance id, of either protocol.
                classic.Stop();
                Restart(world, isCooperative, classic.InstanceId, random);
                break;
            case 10 when consumer?.InstanceId is not null:
                world.Leave(consumer, ConsumerGroupHeartbeat.LeaveForAWhile);
                Restart(world, isCooperative, consumer.InstanceId, random);
                break;
            case 11 when random.Next(4) == 0:
                // Everybody is silent for longer than a session, and may find itself removed.
                world.SuspectAll();
                world.Pass(7_000);
                break;
            case 12:
                world.Crash();
                break;
            case 13 or 14 or 15 when classic is not null:
                world.Commit(classic);
                break;
            case 16 or 17 when consumer is not null:
                world.Commit(consumer);
                break;
            default:
                world.Pass(random.Next(40));
                if (classic is not null && (consumer is null || random.Next(2) == 0))
                    world.Act(classic);
                else if (consumer is not null)
                    world.Act(consumer);
                break;
        }
    }

    private static void Round(MigrationWorld world)
    {
        world.Pass(IntervalMs);
        foreach (var client in world.Consumers.Where(client => client.IsAlive).ToArray())
            world.Act(client);
        foreach (var client in world.Classics.Where(client => client.IsAlive).ToArray())
            world.Act(client);
    }

    private static void Restart(MigrationWorld world, bool isCooperative, string instanceId, Random random)
    {
        if (random.Next(2) == 0)
            AddClassic(world, isCooperative, instanceId, random);
        else
            AddConsumer(world, instanceId, random);
    }

    private static void AddClassic(MigrationWorld world, bool isCooperative, string? instanceId, Random random) =>
        world.Classics.Add(new MigrationClassicClient($"k{random.Next()}", instanceId, isCooperative, asksForId: random.Next(2) == 0));

    private static void AddConsumer(MigrationWorld world, string? instanceId, Random random)
    {
        var client = new ConsumerGroupClient($"m{random.Next()}", instanceId, random);
        client.Subscribe([MigrationWorld.Topic.Name], "");
        world.Consumers.Add(client);
    }
}
