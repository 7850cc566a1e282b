using Granary.Silo.Clustering;

namespace Granary.Unit.Silo;

public sealed class ClockCheckTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(-30)]
    public void Complain_OfWhatIsTolerated_IsNothing(int seconds) => Assert.Null(ClockCheck.Complain(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(3_600, "01:00:00 ahead of")]
    [InlineData(-31, "00:00:31 behind")]
    public void Complain_OfAClockThatIsOff_SaysHowFarAndWhereTo(int seconds, string hint) =>
        Assert.Contains(hint, ClockCheck.Complain(TimeSpan.FromSeconds(seconds)), StringComparison.Ordinal);
}
