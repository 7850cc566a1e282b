using Granary.Abstractions.Groups;

namespace Granary.Unit.Groups;

/// <summary>Which texts are group ids.</summary>
public sealed class GroupIdsTests
{
    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("\t\n")]
    [InlineData("\u0001")]
    [InlineData("a/b ü \U0001F600")]
    public void AnyText_IsOne(string id) => Assert.Null(GroupIds.Refuse(id));

    [Fact]
    public void LongerThanTheLimit_IsNone()
    {
        Assert.Null(GroupIds.Refuse(new string('g', GroupIds.MaxLength)));
        Assert.Equal("The group's id has 256 characters, 255 is the most.", GroupIds.Refuse(new string('g', GroupIds.MaxLength + 1)));
    }

    [Theory]
    [InlineData(new[] { 'a', '\0' }, "U+0000")]
    [InlineData(new[] { '\ud800' }, "surrogate")]
    [InlineData(new[] { '\ud800', 'a' }, "surrogate")]
    [InlineData(new[] { '\udc00', '\ud800' }, "surrogate")]
    public void WhatCannotBeKept_IsNone(char[] id, string why) => Assert.Contains(why, GroupIds.Refuse(new string(id)), StringComparison.Ordinal);

    [Theory]
    [InlineData("", true)]
    [InlineData(" \t\u0001\u0020", true)]
    [InlineData("\u00a0", false)]
    [InlineData(" a ", false)]
    public void Blank_IsAsJavasTrimHasIt(string id, bool isBlank) => Assert.Equal(isBlank, GroupIds.IsBlank(id));
}
