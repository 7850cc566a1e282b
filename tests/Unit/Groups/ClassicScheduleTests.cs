namespace Granary.Unit.Groups;

/// <summary>Thousands of random lives of a group; see <see cref="ClassicWorld"/> for what must hold in each.</summary>
public sealed class ClassicScheduleTests
{
    private const int Schedules = 1_500;

    [Fact]
    public void AnySchedule_KeepsGenerationsApartAndAnswersEveryone()
    {
        var first = Random.Shared.Next(1_000_000);
        var (generations, rounds, crashes, stable, commits, refused, strangers) = (0, 0, 0, 0, 0, 0, 0);
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
            stable += world.StableCrashes;
            commits += world.Commits;
            refused += world.CommitsRefused;
            strangers += world.Strangers;
        }

        // A test that never gets anywhere proves nothing.
        Assert.True(generations > 5 * Schedules && rounds > 5 * Schedules && crashes > 5 * Schedules, $"{generations} generations, {rounds} shares, {crashes} crashes");
        Assert.True(
            stable > 3 * Schedules && commits > 5 * Schedules && refused > 5 * Schedules && strangers > Schedules / 10,
            $"{stable} crashes when stable, {commits} commits, {refused} refused, {strangers} strangers");
    }
}
