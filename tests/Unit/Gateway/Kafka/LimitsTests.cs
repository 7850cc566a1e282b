using Granary.Gateway.Kafka;
using Granary.Support.Time;

namespace Granary.Unit.Gateway.Kafka;

public sealed class LimitsTests
{
    [Fact]
    public void ReplyMemory_WithLittleLeft_GrantsThatMuch()
    {
        var memory = new ReplyMemory(new KafkaOptions { MaxReplyBytes = 100 });
        Assert.Equal(60, memory.Take(60));
        Assert.Equal(40, memory.Take(60));
        Assert.Equal(0, memory.Take(60));
        memory.Hold(50);
        memory.Return(60);
        Assert.Equal(10, memory.Take(60));
    }

    [Fact]
    public void LogAllowance_WhenUsedUp_CountsUntilTheNextInterval()
    {
        var clock = new FakeClock();
        var allowance = new LogAllowance(clock, 2, TimeSpan.FromSeconds(10));
        Assert.True(allowance.TryTake(out _));
        Assert.True(allowance.TryTake(out _));
        Assert.False(allowance.TryTake(out _));
        Assert.False(allowance.TryTake(out _));
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.True(allowance.TryTake(out var withheld));
        Assert.Equal(2, withheld);
        Assert.True(allowance.TryTake(out withheld));
        Assert.Equal(0, withheld);
    }

    [Fact]
    public void Validate_OfDefaults_FindsNothingWrong() => Assert.Empty(new KafkaOptions().Validate());

    [Fact]
    public void Validate_OfWrongOptions_NamesEachWithItsValue()
    {
        var wrong = new KafkaOptions { Address = "somewhere", Port = 70_000, MaxFrameBytes = 0, IdleTimeout = TimeSpan.Zero, ClusterId = " " }.Validate().ToList();
        Assert.Equal(5, wrong.Count);
        Assert.Contains(wrong, line => line.Contains("70000", StringComparison.Ordinal));
        Assert.Contains(wrong, line => line.Contains("'somewhere'", StringComparison.Ordinal));
    }
}
