using Granary.Abstractions.Topics;
using Granary.Unit.Partitions;

namespace Granary.Unit.Topics;

public sealed class TopicNamesTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("A-z_0.9")]
    [InlineData("...")]
    [InlineData("__consumer_offsets")]
    public void Check_OfANameThatKafkaTakes_FindsNothing(string name) => Assert.Null(TopicNames.Check(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\nb")]
    [InlineData("ünï")]
    [InlineData("a\0")]
    public void Check_OfANameThatKafkaRefuses_SaysWhy(string? name) => Assert.NotEmpty(TopicNames.Check(name)!);

    [Fact]
    public void Check_AtTheLongestLength_IsTheLastThatPasses()
    {
        Assert.Null(TopicNames.Check(new string('a', TopicNames.MaxLength)));

        var refusal = TopicNames.Check(new string('a', TopicNames.MaxLength + 1));

        Assert.Contains("250", refusal, StringComparison.Ordinal);
        Assert.Contains("249", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OfAHugeName_AnswersShortly() => Assert.InRange(TopicNames.Check(new string('a', 30_000))!.Length, 1, 200);

    [Fact]
    public void Check_OfRandomNames_TakesExactlyKafkasAlphabet() => Seeds.Run(500, random =>
    {
        var name = new string([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => (char)random.Next(1, random.Next(2) == 0 ? 128 : 5_000))]);
        var isAllowed = name is not ("." or "..") && name.All(letter => "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".Contains(letter));
        Assert.Equal(isAllowed, TopicNames.IsValid(name));
    });

    [Fact]
    public void CollisionKey_OfDotsAndUnderscores_IsTheSame()
    {
        Assert.Equal(TopicNames.CollisionKey("a.b_c"), TopicNames.CollisionKey("a_b.c"));
        Assert.NotEqual(TopicNames.CollisionKey("a.b"), TopicNames.CollisionKey("a-b"));
    }
}
