namespace Granary.Unit.Partitions;

/// <summary>Runs a test for many seeds, and names the one that failed.</summary>
internal static class Seeds
{
    public static void Run(int count, Action<Random> test)
    {
        // A fixed set first, so that what failed once is found again; then new ones.
        for (var i = 0; i < count; i++)
        {
            var seed = i < count / 2 ? i : Random.Shared.Next();
            try
            {
                test(new Random(seed));
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
            }
        }
    }
}
