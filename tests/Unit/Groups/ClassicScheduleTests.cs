namespace Granary.Unit.Groups;

/// <summary>Thousands of random lives of a group; see <see cref="ClassicWorld"/> for what must hold in each.</summary>
public sealed class ClassicScheduleTests
{
    private const int Schedules = 1_500;

    [Fact]
    public void AnySchedule_KeepsGenerationsApartAndAnswersEveryone()
    {
        var first = Random.Shared.Next(1_000_000);
        var (generations, rounds, crashes) = (0, 0, 0);
        for (var seed = first; seed < first + Schedules; seed++)
        {
            var world = new ClassicWorld(seed);
            try
            {
                world.Run(steps: 250);
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {seed}: {failure}");
            }

            generations += world.Generations;
            rounds += world.StableRounds;
            crashes += world.Crashes;
        }

        // A test that never gets anywhere proves nothing.
        Assert.True(generations > 5 * Schedules && rounds > 5 * Schedules && crashes > 5 * Schedules, $"{generations} generations, {rounds} shares, {crashes} crashes");
    }
}
