using Granary.Gateway.Edge;

namespace Granary.Unit.Gateway.Hosting;

public sealed class ClusterStatusTests
{
    [Fact]
    public async Task Print_ShowsPartitionsAndEpochsBySilo()
    {
        var shown = new StringWriter();

        await ClusterStatus.PrintAsync(
            new ClusterStatus.ClusterShown([
                new(2, "silo-2", "127.0.0.1:9094", "Active", []),
                new(1, "silo-1", "127.0.0.1:9093", "Active", [new("b", 1, 7), new("b", 0, 3), new("a", 5, 1)]),
            ]),
            shown);

        var lines = shown.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.StartsWith("   1  silo-1", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("leads 3 partitions", lines[0], StringComparison.Ordinal);
        Assert.Equal(["a: 5@1", "b: 0@3 1@7"], lines[1..3].Select(line => line.Trim()));
        Assert.EndsWith("leads 0 partitions", lines[3], StringComparison.Ordinal);
    }
}
